"""What happened to the items that a user touched last."""

from collections.abc import Sequence
from datetime import UTC, datetime

import ibis
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.features.history import item_touches, user_history
from tests.properties import examples

DAY = 86_400


Did = tuple[str, str, int]
Bought = tuple[str, int, int | None]


def history_at(
    t: int, events: Sequence[Did | tuple[str, str, int, float]], bought: Sequence[Bought], low_rating: float | None = None, **counted: bool
) -> list[tuple[str, int]]:
    """Items and codes of one user as of a second, of events (type, item, second, rating) and purchases (item, second, taken off at)."""
    rows = [("ann", item, kind, True, datetime.fromtimestamp(at, UTC), *(rating or [None])) for kind, item, at, *rating in events]
    times = pl.Datetime("us", "UTC")
    names = {"user_id": pl.String, "item_id": pl.String, "event_type": pl.String, "consent": pl.Boolean, "occurred_at": times}
    names |= {"rating": pl.Float64}
    seen = pl.DataFrame(rows, schema=names, orient="row")
    lines = {"user_id": pl.String, "item_id": pl.String, "at": pl.Int64, "until": pl.Int64}
    purchases = pl.DataFrame([("ann", *line) for line in bought], schema=lines, orient="row")
    touches = item_touches(ibis.memtable(seen), ibis.memtable(purchases), low_rating, **counted)
    found = ibis.duckdb.connect().to_pyarrow(user_history(touches, ibis.memtable({"t": [t]}))).to_pylist()
    return [] if not found else list(zip(found[0]["history_item_ids"], found[0]["history_signals"], strict=True))


def test_last_act_has_its_strongest_type() -> None:
    events = [("product_view", "mug", 100), ("add_to_cart", "mug", 200), ("product_view", "mug", 300), ("product_view", "tea", 400)]
    assert history_at(DAY, events, []) == [("mug", 2), ("tea", 3)]
    assert history_at(DAY, events, [("mug", 400, None)]) == [("mug", 1), ("tea", 3)]


def test_look_of_another_day_is_an_act_of_its_own() -> None:
    assert history_at(3 * DAY, [("product_view", "mug", 2 * DAY)], [("mug", 100, None)]) == [("mug", 3)]


@pytest.mark.parametrize(("t", "code"), [(150, 3), (250, 2), (350, 1)])
def test_what_comes_later_changes_nothing(t: int, code: int) -> None:
    events = [("product_view", "mug", 100), ("add_to_cart", "mug", 200)]
    assert history_at(t, events, [("mug", 300, None)]) == [("mug", code)]


def test_purchase_taken_off_leaves_the_look() -> None:
    assert history_at(2 * DAY, [("product_view", "mug", 100)], [("mug", 200, DAY)]) == [("mug", 3)]


def test_a_rating_puts_an_item_into_the_history_unless_ratings_count_for_nothing() -> None:
    rated = [("rating", "mug", 100, 1.0), ("product_view", "tea", 200)]
    assert history_at(DAY, rated, []) == [("mug", 4), ("tea", 3)]
    assert history_at(DAY, rated, [], 2.0, ratings=False) == [("tea", 3)]
    assert history_at(DAY, rated, [], 0.5) == [("mug", 4), ("tea", 3)]


@pytest.mark.parametrize(
    ("t", "found"),
    [(200, [("mug", 1), ("tea", 4)]), (301, [("tea", 4)]), (500, [("tea", 4), ("mug", 3)]), (700, [("tea", 4)])],
)
def test_a_low_rating_ends_what_came_before_it_and_nothing_that_comes_after(t: int, found: list[tuple[str, int]]) -> None:
    events = [("rating", "tea", 150, 5.0), ("rating", "mug", 300, 2.0), ("product_view", "mug", 400), ("rating", "mug", 600, 1.0)]
    assert history_at(t, events, [("mug", 100, None)], 2.0) == found


TOUCHES = st.lists(
    st.tuples(
        st.sampled_from(["product_view", "add_to_cart", "rating"]), st.sampled_from(["mug", "tea"]), st.integers(1, 9), st.floats(1, 5)
    ),
    max_size=8,
)


@examples(25)
@given(TOUCHES, TOUCHES)
def test_history_is_what_was_touched_and_not_rated_low_since_whatever_comes_later(
    past: list[tuple[str, str, int, float]], future: list[tuple[str, str, int, float]]
) -> None:
    now, low = 10, 2.0
    ended = {
        item: max([at for kind, of, at, rating in past if kind == "rating" and of == item and rating <= low], default=0)
        for item in ("mug", "tea")
    }
    standing = {item for kind, item, at, rating in past if at > ended[item] and not (kind == "rating" and rating <= low)}
    later = [(kind, item, at + now, rating) for kind, item, at, rating in future]
    for events in (past, past + later):
        assert {item for item, _ in history_at(now, events, [], low)} == standing
