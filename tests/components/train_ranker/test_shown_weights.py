"""What was shown counts by the chance that it was: repeated lists of before teach no more than others."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import CandidateSet
from endcap.training.shown_lists import SHOWN_SCHEMA
from endcap_components.train_ranker.shown_weights import WEIGHT_MAX, ShownWeights, shown_within, weights_of_shown
from tests.properties import examples

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def place(item_index: int, **changes: Any) -> dict[str, Any]:
    certain = {"user_id": "u1", "shown_at": NOON, "look_chance": 1.0, "propensity": 1.0, "followed": False}
    return {**certain, "item_index": item_index, **changes}


def shown(*places: dict[str, Any]) -> pl.DataFrame:
    return shown_within(pl.DataFrame(list(places), schema=SHOWN_SCHEMA), NOON, 7)


def weigh(places: pl.DataFrame, wanted: Sequence[int] = (), users: Sequence[str] = ("u1",), items: int = 5) -> ShownWeights:
    """Of the items 1 to `items` for each user, those `wanted` with a label."""
    found = [CandidateSet.unsourced(np.arange(1, items + 1, dtype=np.int32)) for _ in users]
    labels = np.isin(np.tile(np.arange(1, items + 1), len(users)), list(wanted)).astype(np.float32)[:, None]
    return weights_of_shown(users, found, labels, places)


def test_what_was_not_shown_counts_once() -> None:
    weights = weigh(shown(place(2)), wanted=[3])
    np.testing.assert_array_equal(weights.is_shown, [False, True, False, False, False])
    np.testing.assert_array_equal(weights.weight, np.ones(5, dtype=np.float32))


def test_who_followed_a_place_that_few_look_at_counts_more() -> None:
    weights = weigh(shown(place(1, followed=True), place(2, followed=True, look_chance=0.25)), wanted=[1, 2])
    np.testing.assert_allclose(weights.weight[:2], [1.0, 4.0])


def test_a_sale_that_no_list_led_to_counts_once() -> None:
    assert weigh(shown(place(2, look_chance=0.25)), wanted=[2]).weight[1] == 1.0


def test_what_chance_showed_counts_for_what_it_did_not_show() -> None:
    weights = weigh(shown(place(1, propensity=0.2), place(2, propensity=0.2, look_chance=0.5, followed=True)), wanted=[2])
    np.testing.assert_allclose(weights.weight[:2], [5.0, 10.0])


def test_lists_of_other_people_and_of_before_or_after_say_nothing() -> None:
    others = [place(1, user_id="u2"), place(2, shown_at=NOON - timedelta(seconds=1)), place(3, shown_at=NOON + timedelta(days=7))]
    weights = weigh(shown(*others), users=("u1", "u3"))
    assert not weights.is_shown.any()
    assert weigh(shown(*others), users=("u1", "u2")).is_shown.tolist() == [False] * 5 + [True] + [False] * 4


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0.001, 1), st.floats(0.001, 1), st.booleans()), max_size=20))
@examples(30)
def test_a_weight_is_one_or_more_and_bounded_and_more_showing_never_raises_it(drawn: list[tuple[int, float, float, bool]]) -> None:
    places = [place(item, look_chance=look, propensity=put, followed=followed) for item, look, put, followed in drawn]
    weights = weigh(shown(*places), wanted=[1, 2])
    assert ((weights.weight >= 1 - 1e-6) & (weights.weight <= WEIGHT_MAX + 1e-6)).all()
    again = weigh(shown(*places, *places), wanted=[1, 2])
    assert (again.weight <= weights.weight + 1e-6).all()


def test_items_wanted_alike_count_alike_wherever_the_lists_put_them() -> None:
    rng = np.random.default_rng(7)
    people, wanted_share = 8_000, 0.3
    look = np.arange(1, 6) ** -0.5
    followed = (rng.random((people, 5)) < look) & (rng.random((people, 5)) < wanted_share)
    raw, weighted = followed.mean(axis=0), _weighted_rate(followed, look)
    error = np.sqrt(wanted_share / look / people)
    assert raw[4] < wanted_share - 10 * error[4]
    assert weighted == pytest.approx(np.full(5, wanted_share), abs=4 * error.max())


def _weighted_rate(followed: NDArray[np.bool_], look: NDArray[np.float64]) -> NDArray[np.float64]:
    """By item, which is always at the place of its number: what `weights_of_shown` makes of clicks, a person."""
    users = [f"u{number}" for number in range(len(followed))]
    user, item = np.indices(followed.shape)
    columns = {"user_id": np.array(users)[user.ravel()], "item_index": item.ravel() + 1, "look_chance": look[item.ravel()]}
    rows = pl.DataFrame({**columns, "shown_at": [NOON] * followed.size, "propensity": np.ones(followed.size), "followed": followed.ravel()})
    found = [CandidateSet.unsourced(np.arange(1, 6, dtype=np.int32)) for _ in users]
    labels = followed.ravel().astype(np.float32)[:, None]
    weights = weights_of_shown(users, found, labels, shown_within(rows.select(SHOWN_SCHEMA.names()).cast(SHOWN_SCHEMA), NOON, 7))
    return (weights.weight * labels[:, 0]).reshape(followed.shape).mean(axis=0)
