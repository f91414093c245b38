"""Item counters say what the item features say, however events come and whatever is restarted between."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from endcap.contracts.moment import DAY_S
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.events.stream.forwarding import stepped_through
from endcap.events.stream.function import Instant
from endcap.events.stream.item_counters import COUNTS_SCHEMA, EVERYWHERE, STATE_SCHEMA, ItemCounters
from endcap.features.item import item_numeric, priced_items
from endcap.features.net_purchases import taken_off
from endcap.features.purchases import purchase_lines, purchase_occasions

START = datetime(2026, 1, 1, tzinfo=UTC)
REGIONS = pl.DataFrame({"user_id": ["a", "b"], "region": ["north", "south"]})
Row = dict[str, Any]


def event(number: int, kind: str, at: datetime, **given_: Any) -> Row:
    return {
        "event_id": f"e{number:05}",
        "event_type": kind,
        "schema_version": 1,
        "occurred_at": at,
        "received_at": at,
        "user_id": "a",
        "session_id": "s",
        "item_id": "i",
        "quantity": 1.0,
        "consent": True,
        "consent_analytics": True,
    } | given_


def table(rows: Sequence[Row], name: str = "events") -> pa.Table:
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[name])])
    return pa.Table.from_pylist([{column: row.get(column) for column in schema.names} for row in rows], schema=schema)


def made_shop(seed: int, count: int, days: int) -> list[Row]:
    """Purchases and returns of all kinds: in parts, by order, of others' orders, without consent, anonymous."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        kind = chance.choice(["purchase"] * 4 + ["return", "cancellation"])
        order = chance.choice([None, *(f"o{place}" for place in range(30))])
        given_ = {
            "user_id": chance.choice(["a", "b", "c", None]),
            "session_id": f"s{chance.randrange(40)}",
            "order_id": order,
            "item_id": f"i{chance.randrange(12)}",
            "quantity": chance.choice([1.0, 2.0, 0.5]),
            "consent": chance.random() < 0.9,
        }
        if kind != "purchase":
            given_["quantity"] = chance.choice([given_["quantity"], None])
            if order and chance.random() < 0.4:
                given_ |= {"item_id": None, "quantity": None}
        rows.append(event(number, kind, START + timedelta(seconds=chance.randrange(days * DAY_S)), **given_))
    return rows


class Driver:
    """Keeps state by key, as a stream does: sees to it that an event comes once."""

    def __init__(self) -> None:
        self.function = ItemCounters(REGIONS)
        self.state = STATE_SCHEMA.to_frame()
        self.due: dict[str, datetime] = {}
        self.rows: dict[tuple[str, str], Row] = {}
        self.seen: set[str] = set()

    def restarted(self) -> "Driver":
        """Another process that has been handed what was stored."""
        after = Driver()
        after.state = pl.read_ipc(self.state.write_ipc(None).getvalue())
        after.due, after.rows, after.seen = dict(self.due), dict(self.rows), set(self.seen)
        return after

    def take(self, events: Sequence[Row], present: datetime) -> None:
        new = [row for row in {row["event_id"]: row for row in events}.values() if row["event_id"] not in self.seen]
        self.seen |= {row["event_id"] for row in new}
        keyed = self.function.keyed(pl.DataFrame(table(new)))
        due = [key for key, moment in self.due.items() if moment <= present]
        keys = pl.Series("key", [*keyed["key"].to_list(), *due], dtype=pl.String).unique(maintain_order=True)
        if keys.is_empty():
            return
        stored = self.state
        at = Instant(present, present)
        keys, result = stepped_through(self.function, lambda which: stored.filter(pl.col("key").is_in(which.implode())), keyed, keys, at)
        assert not result.failures
        step = result.step
        self.state = pl.concat([stored.filter(~pl.col("key").is_in(keys.implode())), step.state])
        self.due = {key: moment for key, moment in self.due.items() if key not in set(keys)} | dict(step.due.iter_rows())
        self.rows |= {(row["item_id"], row["region"]): row for row in step.rows.to_dicts()}

    def said(self, region: str = EVERYWHERE) -> "Counts":
        found = {item: row for (item, of), row in self.rows.items() if of == region}
        return {item: (row["purchases_7d"], row["purchases_28d"], row["trend"]) for item, row in found.items() if row["purchases_28d"]}


Counts = dict[str, tuple[int, int, float]]


def batch(rows: Sequence[Row], *moments: datetime) -> list[Counts]:
    """The item features of a log as of the second after each moment, in one query: making it costs more than running it."""
    events = ibis.memtable(table(rows))
    versions = ibis.memtable(taken_off(events).versions)
    items, promotions = (ibis.memtable(table([], name)) for name in ("items", "promotions"))
    lines = purchase_lines(events, items, promotions, versions)
    occasions = purchase_occasions(lines)
    seconds = [int(at.timestamp()) + 1 for at in moments]
    snapshots = ibis.memtable({"t": seconds, "is_data_end": [False] * len(seconds)})
    priced = priced_items(lines, items, snapshots)
    found = item_numeric(priced, lines, occasions, promotions, snapshots).to_polars()
    known = found.filter(pl.col("purchases_28d") > 0).select("t", "item_id", "purchases_7d", "purchases_28d", "trend")
    return [
        {item: (int(week), int(month), value) for t, item, week, month, value in known.iter_rows() if t == second} for second in seconds
    ]


def same(said: Counts, expected: Counts) -> bool:
    assert {item: counts[:2] for item, counts in said.items()} == {item: counts[:2] for item, counts in expected.items()}
    assert {item: counts[2] for item, counts in said.items()} == pytest.approx(
        {item: counts[2] for item, counts in expected.items()}, rel=1e-6, abs=1e-6
    )
    return True


@settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 10**6), parts=st.integers(1, 5), days=st.sampled_from([1, 9, 34, 50]))
def test_shuffled_doubled_and_with_restarts_it_is_what_the_features_say(seed: int, parts: int, days: int) -> None:
    rows = made_shop(seed, 160, days)
    chance = random.Random(seed)
    sent = [*rows, *chance.sample(rows, 30)]
    chance.shuffle(sent)
    end = START + timedelta(days=days)
    driver = Driver()
    for part in range(parts):
        driver = driver.restarted()
        driver.take(sent[part::parts], end)
    (expected,) = batch(rows, end)
    assert same(driver.said(), expected)
    whole = Driver()
    whole.take(rows, end)
    for region in (EVERYWHERE, "north", "south"):
        assert driver.said(region) == whole.said(region)


def test_time_alone_takes_purchases_out_of_the_windows() -> None:
    rows = made_shop(7, 60, 3)
    driver = Driver()
    driver.take(rows, START + timedelta(days=3))
    moments = [START + timedelta(days=days) for days in (8.5, 30)]
    for present, expected in zip(moments, batch(rows, *moments), strict=True):
        driver.take([], present)
        assert same(driver.said(), expected)
    driver.take([], START + timedelta(days=40))
    assert driver.said() == {}
    assert all(row["purchases_35d"] == 0 for row in driver.rows.values())
    driver.take([], START + timedelta(days=60))
    assert driver.state.is_empty()
    assert not driver.due


def test_a_purchase_counts_in_its_last_second_and_not_in_the_next() -> None:
    driver = Driver()
    driver.take([event(1, "purchase", START)], START)
    assert driver.said()["i"][0] == 1
    assert driver.said("north")["i"][0] == 1
    last = START + timedelta(days=7) - timedelta(seconds=1)
    driver.take([], last)
    assert driver.said()["i"][0] == 1
    driver.take([], START + timedelta(days=7))
    assert driver.said()["i"][:2] == (0, 1)


@pytest.mark.parametrize("order_first", [True, False])
def test_a_return_of_an_order_takes_all_its_items_whichever_comes_first(order_first: bool) -> None:
    back = event(9, "return", START + timedelta(hours=1), order_id="o", item_id=None, quantity=None)
    bought = [event(number, "purchase", START, order_id="o", item_id=item) for number, item in enumerate("xyz")]
    driver = Driver()
    for part in ([back], bought) if order_first else (bought, [back]):
        driver.take(part, START + timedelta(hours=2))
    assert driver.said() == {}
    assert {row["purchases_7d"] for row in driver.rows.values()} == {0}


def test_some_units_of_an_order_come_from_its_newest_line_as_it_turns_out() -> None:
    """A late event changes which line that is, and what was forwarded before no longer holds."""
    back = event(9, "return", START + timedelta(hours=1), order_id="o", item_id=None, quantity=1.0)
    x, y = (event(number, "purchase", START + timedelta(minutes=number), order_id="o", item_id=item) for number, item in enumerate("xy"))
    driver = Driver()
    driver.take([x, back], START + timedelta(hours=2))
    assert driver.said() == {}
    driver.take([y], START + timedelta(hours=2))
    assert set(driver.said()) == {"x"}


def test_a_purchase_after_the_return_of_its_order_stands() -> None:
    back = event(9, "return", START + timedelta(hours=1), order_id="o", item_id=None, quantity=None)
    later = event(1, "purchase", START + timedelta(hours=2), order_id="o")
    driver = Driver()
    driver.take([back, later], START + timedelta(hours=3))
    assert driver.said()["i"][0] == 1


def test_what_it_says_has_the_columns_that_it_promises() -> None:
    function = ItemCounters()
    rows = function.keyed(pl.DataFrame(table([event(1, "purchase", START), event(2, "product_view", START)])))
    step = function.step(STATE_SCHEMA.to_frame(), rows, Instant(START, START))
    assert rows.schema == STATE_SCHEMA
    assert (step.state.schema, step.rows.schema) == (function.state_schema, COUNTS_SCHEMA)
    assert step.rows["region"].to_list() == [EVERYWHERE], "nobody's region is known"
