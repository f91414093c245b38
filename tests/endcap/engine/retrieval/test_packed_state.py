"""A person is the same to a request whether their rows came packed or column by column."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.features.columns import (
    HISTORY_LENGTH,
    PAIR_BOUGHT,
    PAIR_SIGNALS,
    PAIRS_MAX,
    RECENT_BOUGHT,
    RECENT_MOVED,
    RECENT_TOUCHES,
    USER_AFFINITY,
    USER_CATEGORICAL,
    USER_HISTORY,
    USER_NUMERIC,
)
from endcap.features.packed_layout import PackedLayout
from endcap.features.store.packed_views import RECENT_PACKED, SESSION_PACKED, USER_ITEM_PACKED, USER_PACKED
from tests.properties import examples

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
VOCABULARIES = {name: Vocabulary(("known", "größe")) for name in USER_CATEGORICAL}
IDS = st.sampled_from(["a", "b", "c", "d", "e", "gone", "", "語", "a\0b", "a "])
NUMBERS = st.one_of(st.sampled_from([0.0, -0.0, 1.5, np.nan, np.inf, 2.0**-149, 3e38]), st.floats(0, 1000, width=32))
MOMENTS = st.one_of(st.just(0), st.integers(int(NOW.timestamp()) - 10**8, int(NOW.timestamp())))
TYPES = st.sampled_from(["product_view", "add_to_cart", "remove_from_cart", "purchase", "rating", "click"])


def values_of(name: str) -> st.SearchStrategy[Any]:
    """What a list of that name may hold."""
    if name.endswith("_ids"):
        return IDS
    if name in {"history_signals", "recent_signals", "recent_kinds", "recent_visits"}:
        return st.integers(-1, 9) if name == "recent_signals" else st.integers(0, 9)
    return MOMENTS if name.endswith(("_at", "_until")) else NUMBERS


@st.composite
def lists(draw: st.DrawFn, names: tuple[str, ...], most: int, *, distinct: bool = False) -> dict[str, list[Any]]:
    """Lists of equal length."""
    ids = draw(st.lists(IDS, max_size=8, unique=distinct))
    if draw(st.booleans()) and most > len(ids):
        ids += [f"item {number}" for number in range(most - len(ids))]
    # A few values, again and again: 600 drawn ones would take longer than all else.
    return {
        name: ids if name == names[0] else (draw(st.lists(values_of(name), min_size=3, max_size=3)) * (len(ids) // 3 + 1))[: len(ids)]
        for name in names
    }


@st.composite
def batch(draw: st.DrawFn) -> dict[str, Any]:
    row: dict[str, Any] = {name: draw(st.none() | NUMBERS) for name in USER_NUMERIC}
    row |= {name: draw(st.sampled_from([None, "", "known", "größe", "else"])) for name in USER_CATEGORICAL}
    row |= draw(lists(USER_HISTORY, HISTORY_LENGTH)) | draw(lists(PAIR_BOUGHT, PAIRS_MAX, distinct=True))
    row |= draw(lists(PAIR_SIGNALS, PAIRS_MAX, distinct=True)) | draw(lists(USER_AFFINITY[:2], 0, distinct=True))
    row |= draw(lists(USER_AFFINITY[2:], 0, distinct=True))
    for names in (USER_HISTORY[2:], USER_AFFINITY[:2], USER_AFFINITY[2:], PAIR_BOUGHT, PAIR_SIGNALS):
        if draw(st.integers(0, 5)) == 0:
            row |= dict.fromkeys(names)  # of a row that was written before there were such columns
    return row


@st.composite
def recent(draw: st.DrawFn) -> dict[str, Any]:
    return draw(lists(RECENT_TOUCHES, 40)) | draw(lists(RECENT_BOUGHT, 40)) | {"recent_visit_ids": ["v", "w"], RECENT_MOVED: draw(MOMENTS)}


@st.composite
def visit(draw: st.DrawFn) -> dict[str, Any]:
    events = draw(st.lists(st.tuples(IDS, TYPES, st.integers(0, 10**6)), max_size=HISTORY_LENGTH))
    items, kinds, ages = zip(*events, strict=True) if events else ((), (), ())
    times = [int(NOW.timestamp()) - age for age in ages]
    return {"session_item_ids": list(items), "session_event_types": list(kinds), "session_occurred_at": times}


def again(row: dict[str, Any], *layouts: PackedLayout) -> dict[str, Any]:
    """The row as it comes out of the store, packed."""
    return row | {name: value for layout in layouts for name, value in layout.unpack(layout.pack(row)).items()}


def as_columns(row: dict[str, Any], *layouts: PackedLayout) -> dict[str, Any]:
    """The row as it comes out of the store by column: numbers are float32 there, too."""
    numbers = {name: row[name] for layout in layouts for name in layout.numbers if row[name] is not None}
    return row | {name: float(np.float32(value)) for name, value in numbers.items()}


def assert_same(found: Any, expected: Any) -> None:
    for field in fields(expected):
        one, other = getattr(found, field.name), getattr(expected, field.name)
        if is_dataclass(other):
            assert_same(one, other)
        elif isinstance(other, np.ndarray):
            assert one.dtype == other.dtype, field.name
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        else:
            assert one == other, field.name


def state(row: dict[str, Any] | None, lately: dict[str, Any] | None, visited: dict[str, Any], items: ItemTable, now: datetime) -> UserState:
    with np.errstate(invalid="ignore", over="ignore"):
        return user_state(
            row,
            items,
            VOCABULARIES,
            now,
            visited["session_item_ids"],
            visited["session_event_types"],
            session_occurred_at=visited["session_occurred_at"],
            recent=lately,
            session_id="v",
        )


@given(st.none() | batch(), st.none() | recent(), visit(), st.integers(0, 60))
@examples(300, suppress_health_check=[HealthCheck.function_scoped_fixture])  # nothing changes the catalogue
def test_a_state_of_packed_rows_is_that_of_columns(
    small_catalogue: ItemTable, row: dict[str, Any] | None, lately: dict[str, Any] | None, visited: dict[str, Any], days: int
) -> None:
    now = NOW + timedelta(days=days)
    of_batch = USER_PACKED.layout, USER_ITEM_PACKED.layout
    columns = None if row is None else as_columns(row, *of_batch) | {"event_timestamp": NOW}
    packed = None if row is None else again(row, *of_batch) | {"event_timestamp": NOW}
    packed_lately = None if lately is None else again(lately, RECENT_PACKED.layout)
    found = state(packed, packed_lately, again(visited, SESSION_PACKED.layout), small_catalogue, now)
    assert_same(found, state(columns, lately, visited, small_catalogue, now))
