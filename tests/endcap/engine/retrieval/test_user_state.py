from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.signatures import HISTORY_INPUTS
from endcap.engine.retrieval.past import STALENESS_MAX_DAYS
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.features.columns import HISTORY_LENGTH, USER_CATEGORICAL, USER_NUMERIC

SNAPSHOT = datetime(2026, 11, 23, tzinfo=UTC)
VOCABULARIES = {name: Vocabulary(("known",)) for name in USER_CATEGORICAL}


@pytest.fixture
def row() -> dict[str, Any]:
    """Bought c, 'gone' (which the catalogue does not know) and a; c ten days and a two days before the snapshot."""

    def before(days: int) -> int:
        return int((SNAPSHOT - timedelta(days=days)).timestamp())

    return {
        "event_timestamp": SNAPSHOT,
        **dict.fromkeys(USER_NUMERIC, 1.0),
        **dict.fromkeys(USER_CATEGORICAL, "known"),
        "history_item_ids": ["c", "gone", "a"],
        "history_occurred_at": [before(10), before(5), before(2)],
        "category_ids": ["Food > Dairy", "No > Such"],
        "category_shares": [0.75, 0.25],
        "brand_ids": ["Own"],
        "brand_shares": [1.0],
        "pair_item_ids": ["c", "gone", "a"],
        "pair_times_bought": [5, 4, 3],
        "pair_baskets_28d": [2, 2, 1],
        "pair_baskets_90d": [4, 4, 2],
        "pair_last_bought_at": [before(10), before(5), before(2)],
        "pair_gap_mean_days": [7.0, 6.0, 0.0],
        "pair_decayed_20d": [2.0, 1.5, 1.0],
        "pair_decayed_60d": [3.0, 2.5, 1.2],
    }


def state_at(row: dict[str, Any] | None, items: ItemTable, now: datetime, session: tuple[str, ...] = ()) -> UserState:
    return user_state(row, items, VOCABULARIES, now, session)


def test_ids_become_indices_and_unknown_items_are_left_out(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    state = state_at(row, small_catalogue, SNAPSHOT)
    assert list(state.history) == [3, 1]
    assert list(state.history_age_days) == [10, 2]
    assert list(state.pair_index) == [1, 3]
    assert list(state.times_bought) == [3, 5]
    assert state.leaf_share.code.tolist() == [small_catalogue.categories.code("Food > Dairy")]
    assert state.leaf_share.share.tolist() == [0.75]


def test_time_since_the_snapshot_ages_everything(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    state = state_at(row, small_catalogue, SNAPSHOT + timedelta(days=3))
    assert list(state.history_age_days) == [13, 5]
    assert list(state.days_since_bought) == [5, 13]
    assert state.decayed_20d == pytest.approx(np.array([1.0, 2.0]) * np.exp(-3 / 20), rel=1e-6)


def test_stale_features_are_aged_only_as_far_as_models_have_seen(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    bound = state_at(row, small_catalogue, SNAPSHOT + timedelta(days=STALENESS_MAX_DAYS))
    years_later = state_at(row, small_catalogue, SNAPSHOT + timedelta(days=2000))
    assert list(years_later.days_since_bought) == list(bound.days_since_bought)


def test_an_unknown_user_is_known_by_the_present_visit(small_catalogue: ItemTable) -> None:
    state = state_at(None, small_catalogue, SNAPSHOT, session=("b", "gone", "d"))
    assert not state.is_known
    assert list(state.session) == [2, 4]
    assert list(state.history) == [2, 4]


def test_history_of_a_query_stands_at_the_end(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    inputs = state_at(row, small_catalogue, SNAPSHOT).query_history()
    assert tuple(inputs) == HISTORY_INPUTS
    assert {values.shape for values in inputs.values()} == {(HISTORY_LENGTH,)}
    assert list(inputs["history"][-2:]) == [3, 1]
    assert not any(values[:-2].any() for values in inputs.values())


def test_rows_say_what_happened_and_older_ones_mean_purchases(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    assert list(state_at(row, small_catalogue, SNAPSHOT).history_signal) == [1, 1]
    typed = row | {"history_signals": [3, 1, 2]}
    assert list(state_at(typed, small_catalogue, SNAPSHOT).history_signal) == [3, 2]


def test_a_type_that_only_a_newer_version_knows_was_a_look(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    newer = row | {"history_signals": [99, 1, 0]}
    assert list(state_at(newer, small_catalogue, SNAPSHOT).history_signal) == [3, 3]


def test_visit_says_what_happened_and_what_it_does_not_name_was_a_look(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    kinds = ("add_to_cart", "product_view", "remove_from_cart")
    state = user_state(row, small_catalogue, VOCABULARIES, SNAPSHOT, ("b", "gone", "d", "a"), kinds)
    assert list(state.history) == [3, 1, 2, 4, 1]
    assert list(state.history_signal) == [1, 1, 2, 3, 3]


def test_touches_in_a_row_are_one_step_of_a_query(small_catalogue: ItemTable) -> None:
    kinds = ("product_view", "add_to_cart", "product_view", "product_view")
    inputs = user_state(None, small_catalogue, VOCABULARIES, SNAPSHOT, ("b", "b", "d", "b"), kinds).query_history()
    assert list(inputs["history"][-4:]) == [0, 2, 4, 2]
    assert list(inputs["history_signal"][-4:]) == [0, 2, 3, 3]
    assert not user_state(None, small_catalogue, VOCABULARIES, SNAPSHOT).query_history()["history"].any()


def test_a_long_visit_pushes_older_history_out(row: dict[str, Any], small_catalogue: ItemTable) -> None:
    state = state_at(row, small_catalogue, SNAPSHOT, session=("d", *("b",) * (HISTORY_LENGTH + 5)))
    assert list(state.history) == list(state.session) == [2] * HISTORY_LENGTH
