from datetime import timedelta

from endcap_components.build_training_set.purchases import BuyerCounts, first_purchases
from tests.components.build_training_set.test_purchases import START, purchases


def test_item_needs_enough_different_buyers_before_the_moment() -> None:
    counts = BuyerCounts([START, START + timedelta(days=1)], item_count=3)
    counts.add(first_purchases(purchases(("u", 1, -3, "a"), ("u", 1, -2, "b"), ("u", 2, -2, "d"))))
    counts.add(first_purchases(purchases(("v", 1, -1, "c"), ("v", 2, 0, "e"))))
    eligible = counts.eligible(min_buyers=2)
    assert eligible.rows() == [(START, 1), (START + timedelta(days=1), 1), (START + timedelta(days=1), 2)]
    assert counts.eligible(min_buyers=3).is_empty()
