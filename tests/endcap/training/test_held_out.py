"""What is held out to decide by, and that nothing left gives it away."""

import numpy as np

from endcap.contracts.signals import Signal, Signals
from endcap.training.held_out import HeldOut, hold_out_last
from tests.endcap.training.made_signals import typed, written


def test_whole_act_is_held_out_with_what_it_counts() -> None:
    made = typed("v1 v2 | v3 v4 c3 p3", "v5 v6 v7", "v1 v2")
    rest, held_out = hold_out_last(made, 9, np.random.default_rng(0))
    assert written(rest) == ["v1 v2 v4", "v5 v6", "v1 v2"]
    assert written(held_out.histories) == ["v1 v2 v4", "v5 v6"]
    assert held_out.next_item.tolist() == [3, 7]
    np.testing.assert_allclose(held_out.weight, [1.0, 0.2])


def test_types_that_are_not_predicted_are_not_held_out() -> None:
    made = typed("v1 v2 v3", "v1 v2 p3")
    _, held_out = hold_out_last(made, 9, np.random.default_rng(0), Signals(product_view=Signal(weight=0.2, predicted=False)))
    assert held_out.next_item.tolist() == [3]
    assert held_out.histories.users == 1


def test_items_that_were_only_looked_at_are_still_a_choice() -> None:
    histories = typed("v1 p2")
    scores = np.array([[0.0, 3.0, 2.0, 1.0, *[0.0] * 6]], dtype=np.float32)
    rank = HeldOut(histories, np.array([3], dtype=np.int32)).ranks(np.ones((1, 1), dtype=np.float32), scores.T)
    assert rank.tolist() == [1]
