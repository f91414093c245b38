"""The cart as of the moment: latest first, and what the present visit did overrides what the features say."""

import numpy as np
import pytest

from endcap.contracts.moment import DAY_S
from endcap.engine.retrieval.left_in_cart import left_in_cart_candidates
from endcap.engine.retrieval.signal_state import NO_SIGNALS, SignalState
from endcap.features.columns import NEVER_DAYS

from .made_states import made_state

NOW_S = 1_000 * DAY_S
ROW = {
    "signal_views": [3.0, 1.0, 0.0, 2.0],
    "signal_carts": [1.0, 2.0, 1.0, 0.0],
    "signal_last_viewed_at": [NOW_S - 2 * DAY_S, NOW_S - 9 * DAY_S, 0, NOW_S - DAY_S],
    "signal_in_cart_at": [NOW_S - 7 * DAY_S, NOW_S - DAY_S, 0, 0],
    "signal_rated_low": [0.0, 0.0, 0.0, 1.0],
}
SIGNALS = SignalState.of_row(ROW, np.array([5, 2, 9, 4], dtype=np.int32), NOW_S)


def everything(index):
    return np.ones(len(index), dtype=bool)


def found(signals, quota=10, eligible=everything):
    return left_in_cart_candidates(made_state(signals=signals), eligible, quota)


def visited(*events, signals=SIGNALS):
    """After a visit of pairs of item and event type, a minute each, the last one a minute ago."""
    age_days = np.arange(len(events), 0, -1, dtype=np.float32) * 60 / DAY_S
    return signals.with_visit(np.array([item for item, _ in events], dtype=np.int32), [kind for _, kind in events], age_days)


def test_the_cart_is_what_was_put_into_it_and_is_still_there_latest_first():
    cart = found(SIGNALS)
    assert cart.index.tolist() == [2, 5]
    assert cart.score == pytest.approx(np.exp([-1 / 14, -7 / 14]), rel=1e-5)


def test_only_what_may_be_shown_and_no_more_than_the_quota():
    assert found(SIGNALS, eligible=lambda index: index != 2).index.tolist() == [5]
    assert found(SIGNALS, quota=1).index.tolist() == [2]


def test_nothing_of_somebody_who_carted_nothing():
    assert not len(found(NO_SIGNALS).index)


def test_what_was_rated_low_is_left_out():
    assert 4 not in found(visited((4, "add_to_cart"))).index.tolist()


@pytest.mark.parametrize(
    ("events", "cart"),
    [
        ([(7, "add_to_cart")], [7, 2, 5]),
        ([(2, "remove_from_cart")], [5]),
        ([(5, "purchase"), (2, "purchase")], []),
        ([(7, "add_to_cart"), (8, "add_to_cart"), (7, "remove_from_cart")], [8, 2, 5]),
        ([(2, "purchase"), (2, "add_to_cart")], [2, 5]),
        ([(5, "add_to_cart")], [5, 2]),
        ([(0, "add_to_cart"), (6, "product_view"), (5, "search_result")], [2, 5]),
    ],
)
def test_the_visit_overrides_the_features(events, cart):
    assert found(visited(*events)).index.tolist() == cart


def test_a_visit_adds_to_views_and_carts():
    signals = visited((5, "product_view"), (8, "product_view"), (8, "add_to_cart"), (8, "product_view"))
    assert signals.index.tolist() == [2, 4, 5, 8, 9]
    assert signals.views.tolist() == [1, 2, 4, 2, 0]
    assert signals.carts.tolist() == [2, 0, 1, 1, 1]
    assert signals.days_since_viewed == pytest.approx([9, 1, 240 / DAY_S, 60 / DAY_S, NEVER_DAYS], abs=1e-6)
    assert signals.rated_low.tolist() == [False, True, False, False, False]


def test_a_visit_changes_nothing_of_the_state_before_it():
    before = SIGNALS.views.tolist()
    visited((5, "product_view"), (2, "remove_from_cart"))
    assert SIGNALS.views.tolist() == before
    assert SIGNALS.in_cart.tolist() == [True, False, True, False]
