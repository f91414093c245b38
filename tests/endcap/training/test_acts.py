"""What one act is, where it is a target, and that nothing of it stands in the history before."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.signals import Signal, Signals
from endcap.training.acts import act_keys, act_steps, joined_touches
from tests.endcap.training.made_signals import typed, written

TOUCHES = st.lists(st.tuples(st.sampled_from("vcpr"), st.integers(1, 4), st.sampled_from(["", "", " |"])), min_size=1, max_size=14)


def text_of(touches: list[tuple[str, int, str]]) -> list[str]:
    return [f"{kind}{item}{ends}" for kind, item, ends in touches]


def test_touches_with_nothing_between_are_one_step_of_the_strongest_type() -> None:
    assert written(joined_touches(typed("v1 v1 c1 p1 v2", "v3 | v3 | p3"))) == ["p1 v2", "p3"]


def test_buying_again_is_a_step_of_its_own() -> None:
    assert written(joined_touches(typed("p1 | p1 | v1 p1"))) == ["p1 p1 p1"]


def test_act_is_a_target_where_it_begins_with_the_weight_of_its_end() -> None:
    steps = act_steps(typed("v1 v2 v1 c1 p1 v3"), Signals())
    assert written(steps) == ["v1 v2 p1 v3"]
    np.testing.assert_allclose(steps.weight, [1.0, 0.2, 0.0, 0.2])


def test_cart_of_an_earlier_visit_does_not_hide_the_purchase() -> None:
    steps = act_steps(typed("c1 v2 | p1"), Signals())
    np.testing.assert_allclose(steps.weight, [0.5, 0.2, 1.0])


def test_types_that_are_not_predicted_are_no_targets() -> None:
    steps = act_steps(typed("v1 r2 c3"), Signals(product_view=Signal(weight=0.2, predicted=False)))
    np.testing.assert_allclose(steps.weight, [0, 0, 0.5])


def test_weights_of_the_interactions_come_before_those_of_the_signals() -> None:
    made = typed("v1 c2")
    weighted = type(made)(made.start, made.item_index, made.age_days, made.item_count, made.signal, np.array([-1, 3], dtype=np.float32))
    np.testing.assert_allclose(act_steps(weighted, Signals()).weight, [0, 3])


def test_nobody_has_no_steps() -> None:
    assert len(act_steps(typed("", ""), Signals())) == 0
    assert act_steps(typed("", ""), Signals()).users == 2


@given(TOUCHES)
def test_steps_begin_at_another_item_and_after_an_earlier_visits_purchase(touches: list[tuple[str, int, str]]) -> None:
    assert len(joined_touches(typed(" ".join(text_of(touches))))) == len(raw_begins(touches))


@given(TOUCHES)
def test_nothing_of_a_targets_own_act_is_seen_before_it(touches: list[tuple[str, int, str]]) -> None:
    made = typed(" ".join(text_of(touches)))
    steps, act = act_steps(made, Signals()), act_keys(made)
    first = np.unique(act, return_index=True)[1]
    assert steps.weight is not None
    assert np.count_nonzero(steps.weight) <= len(first)
    begins = raw_begins(touches)
    for place in np.flatnonzero(steps.weight):
        assert act[begins[place]] not in act[: begins[place]]


@given(TOUCHES, st.data())
def test_moving_the_future_changes_nothing_that_is_shown_before_a_target(touches: list[tuple[str, int, str]], data: st.DataObject) -> None:
    text = text_of(touches)
    whole = act_steps(typed(" ".join(text)), Signals())
    assert whole.weight is not None
    target = data.draw(st.sampled_from(range(len(whole))))
    begin = raw_begins(touches)[target]
    later = data.draw(TOUCHES)
    # What comes from the target on is another item: one that no later touch can be joined to what was before.
    other = " ".join([*text[:begin], *text_of([(kind, item + 4, ends) for kind, item, ends in later])])
    moved = act_steps(typed(other), Signals())
    assert written(moved)[0].split()[:target] == written(whole)[0].split()[:target]


def raw_begins(touches: list[tuple[str, int, str]]) -> list[int]:
    """Where each step begins among the touches: at another item, and after an earlier visit's purchase."""
    before = [("", 0, ""), *touches]
    return [
        place
        for place, ((kind, item, ends), touch) in enumerate(zip(before, touches, strict=False))
        if touch[1] != item or (ends and kind == "p")
    ]
