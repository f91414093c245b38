"""What returns and cancellations leave of purchases, against a plain walk through the events."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import ibis
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.features.net_purchases import TakenOff, purchases_with_taken_off, taken_off
from tests.properties import examples

START = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 20
Row = dict[str, Any]


def row(number: int, kind: str, at: int, **given: Any) -> Row:
    moment = START + timedelta(seconds=at)
    return {
        "event_id": f"e{number:03}",
        "event_type": kind,
        "schema_version": 1,
        "occurred_at": moment,
        "received_at": moment,
        "user_id": "u",
        "session_id": f"s{number}",
        "item_id": "i",
        "quantity": 1.0,
        "consent": True,
        "consent_analytics": True,
    } | given


def net(rows: list[Row], without: tuple[str, ...] = ()) -> TakenOff:
    schema = arrow_schema(TABLES["events"])
    full = [{name: each.get(name) for name in schema.names} for each in rows]
    table = pa.Table.from_pylist(full, schema=pa.schema([field.with_nullable(True) for field in schema])).drop_columns(list(without))
    return taken_off(ibis.memtable(table))


def left_at(found: TakenOff, rows: list[Row], at: int) -> dict[str, float]:
    """Quantity of each purchase as of a moment; those with nothing left are not there."""
    t = int(START.timestamp()) + at
    changed = {line["event_id"] for line in found.versions.to_pylist()}
    left = {
        line["event_id"]: line["quantity"]
        for line in found.versions.to_pylist()
        if line["since"] < t and (line["until"] is None or line["until"] >= t)
    }
    kept = [each for each in rows if each["event_type"] == "purchase" and each["event_id"] not in changed]
    return left | {each["event_id"]: each["quantity"] for each in kept if each["occurred_at"].timestamp() < t}


def walked(rows: list[Row], at: int) -> dict[str, float]:
    """The same by looking at every purchase for every return."""
    past = [each for each in rows if each["occurred_at"] < START + timedelta(seconds=at)]
    past.sort(key=lambda each: (each["occurred_at"], each["event_type"] != "purchase", each["event_id"]))
    left: dict[str, float] = {}
    bought: list[Row] = []
    for each in past:
        if each["event_type"] == "purchase":
            bought.append(each)
            left[each["event_id"]] = each["quantity"]
            continue
        named = [line for line in bought if (line["order_id"] or line["session_id"]) == each["order_id"]]
        named = [line for line in named if each["item_id"] in (None, line["item_id"])]
        by_order = bool(named) and each["order_id"] is not None
        if not by_order:
            person = "session_id" if each["user_id"] is None else "user_id"
            named = [line for line in bought if line[person] == each[person] and line["item_id"] == each["item_id"]]
        wanted = each["quantity"] if each["quantity"] is not None else 1e9
        for line in reversed(named):
            taken = min(left[line["event_id"]], wanted)
            left[line["event_id"]] -= taken
            wanted -= taken
            if taken and each["quantity"] is None and not by_order:
                break
    return {name: quantity for name, quantity in left.items() if quantity > 0}


ANY = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["purchase", "purchase", "return", "cancellation"]),
        "at": st.integers(0, SECONDS),
        "user_id": st.sampled_from(["a", "b", None]),
        "session_id": st.sampled_from(["s1", "s2", "s3"]),
        "order_id": st.sampled_from([None, None, "o1", "o2", "s1"]),
        "item_id": st.sampled_from(["i", "j", None]),
        "quantity": st.sampled_from([1.0, 2.0, 3.0, 0.5, None]),
    }
)


@st.composite
def shops(draw: st.DrawFn) -> list[Row]:
    rows = []
    for number, given_ in enumerate(draw(st.lists(ANY, min_size=1, max_size=14))):
        kind, at = given_.pop("kind"), given_.pop("at")
        if kind == "purchase":
            given_ |= {"item_id": given_["item_id"] or "i", "quantity": given_["quantity"] or 1.0}
        elif given_["item_id"] is None and given_["order_id"] is None:
            given_["item_id"] = "i"
        rows.append(row(number, kind, at, **given_))
    return rows


@examples(60)
@given(rows=shops(), at=st.integers(1, SECONDS + 1), seed=st.integers(0, 99))
def test_what_is_left_is_what_a_walk_through_the_events_leaves(rows: list[Row], at: int, seed: int) -> None:
    shuffled = random.Random(seed).sample(rows, len(rows))
    found = net(shuffled)
    assert left_at(found, rows, at) == walked(rows, at)
    past = [each for each in rows if each["occurred_at"] < START + timedelta(seconds=at)]
    assert left_at(found, rows, at) == left_at(net(past), rows, at)


@examples(40)
@given(rows=shops())
def test_quantities_only_fall_and_never_below_zero(rows: list[Row]) -> None:
    found = net(rows)
    bought = {each["event_id"]: each for each in rows if each["event_type"] == "purchase"}
    by_purchase: dict[str, list[Row]] = {}
    for line in found.versions.to_pylist():
        by_purchase.setdefault(line["event_id"], []).append(line)
    taken = 0.0
    for name, lines in by_purchase.items():
        at = int(bought[name]["occurred_at"].timestamp())
        assert lines[0]["since"] == at
        assert lines[0]["quantity"] == bought[name]["quantity"]
        assert all(line["quantity"] > 0 for line in lines)
        assert all(one["quantity"] > after["quantity"] and one["until"] == after["since"] for one, after in pairwise(lines))
        assert lines[-1]["until"] == lines[-1]["taken_off_at"]
        taken += bought[name]["quantity"] - (lines[-1]["quantity"] if lines[-1]["until"] is None else 0)
    returns = [each for each in rows if each["event_type"] != "purchase"]
    assert found.returns == len(returns) >= found.unmatched
    if all(each["quantity"] is not None for each in returns):
        assert taken <= sum(each["quantity"] for each in returns)


def test_an_order_is_taken_before_the_newest_purchase() -> None:
    rows = [row(1, "purchase", 1, session_id="o1"), row(2, "purchase", 2), row(3, "return", 3, order_id="o1")]
    assert set(left_at(net(rows), rows, 9)) == {"e002"}


def test_an_unknown_order_means_the_newest_purchase_of_that_person() -> None:
    rows = [row(1, "purchase", 1), row(2, "purchase", 2), row(3, "return", 3, order_id="C536379")]
    assert set(left_at(net(rows), rows, 9)) == {"e001"}


def test_what_one_purchase_does_not_cover_goes_on_to_the_one_before() -> None:
    rows = [row(1, "purchase", 1, quantity=5.0), row(2, "purchase", 2, quantity=2.0), row(3, "return", 3, quantity=4.0)]
    assert left_at(net(rows), rows, 9) == {"e001": 3.0}


def test_a_cancelled_order_is_gone_with_all_its_lines() -> None:
    rows = [row(n, "purchase", 1, session_id="o1", item_id=f"i{n}", quantity=2.0) for n in (1, 2)]
    rows += [row(3, "purchase", 2), row(4, "cancellation", 3, order_id="o1", item_id=None, quantity=None)]
    assert set(left_at(net(rows), rows, 9)) == {"e003"}


def test_what_names_nothing_is_counted() -> None:
    rows = [row(1, "return", 1), row(2, "purchase", 2), row(3, "return", 3, user_id="other"), row(4, "return", 4), row(5, "return", 5)]
    found = net(rows)
    assert (found.returns, found.unmatched) == (4, 3)
    assert left_at(found, rows, 9) == {}


def test_weights_that_do_not_add_up_exactly_leave_nothing() -> None:
    rows = [row(1, "purchase", 1, quantity=0.3), row(2, "return", 2, quantity=0.1), row(3, "return", 3, quantity=0.2)]
    assert left_at(net(rows), rows, 9) == {}


def test_a_return_without_consent_is_not_used() -> None:
    rows = [row(1, "purchase", 1), row(2, "return", 2, consent=False)]
    assert set(left_at(net(rows), rows, 9)) == {"e001"}


def test_events_from_before_orders_are_read() -> None:
    rows = [row(1, "purchase", 1), row(2, "return", 2)]
    found = net(rows, without=("order_id", "rating"))
    assert (found.returns, found.unmatched, left_at(found, rows, 9)) == (1, 0, {})


@pytest.mark.parametrize("returned", [True, False])
def test_purchases_carry_the_moment_of_their_return(tmp_path: Any, returned: bool) -> None:
    rows = [row(1, "purchase", 1, quantity=2.0), row(2, "purchase", 2), row(3, "return", 5, quantity=2.0)][: 3 if returned else 2]
    pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC")).write_parquet(tmp_path / "events.parquet")
    found = purchases_with_taken_off(tmp_path / "events.parquet").collect()
    assert found["event_id"].to_list() == ["e001", "e002"]
    assert found["taken_off_at"].to_list() == [None, START + timedelta(seconds=5) if returned else None]
