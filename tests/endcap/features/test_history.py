"""What happened to the items that a user touched last."""

from datetime import UTC, datetime

import ibis
import polars as pl
import pytest

from endcap.features.history import item_touches, user_history

DAY = 86_400


def history_at(t: int, events: list[tuple[str, str, int]], bought: list[tuple[str, int, int | None]]) -> list[tuple[str, int]]:
    """Items and codes of one user as of a second, of events (type, item, second) and purchases (item, second, taken off at)."""
    rows = [("ann", item, kind, True, datetime.fromtimestamp(at, UTC)) for kind, item, at in events]
    times = pl.Datetime("us", "UTC")
    names = {"user_id": pl.String, "item_id": pl.String, "event_type": pl.String, "consent": pl.Boolean, "occurred_at": times}
    seen = pl.DataFrame(rows, schema=names, orient="row")
    lines = {"user_id": pl.String, "item_id": pl.String, "at": pl.Int64, "until": pl.Int64}
    purchases = pl.DataFrame([("ann", *line) for line in bought], schema=lines, orient="row")
    touches = item_touches(ibis.memtable(seen), ibis.memtable(purchases))
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
