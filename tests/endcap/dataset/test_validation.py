import json
import math
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from endcap.contracts.event import EventType
from endcap.contracts.item import Availability
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.dataset.validation import find_problems, table_schema
from tests.properties import examples

MOMENT = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
AMOUNT = st.sampled_from([None, -1.0, -0.0, 0.0, 0.5, 3.0, math.inf, -math.inf, math.nan]) | st.floats()
WHOLE = st.none() | st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1)
CHANCE = st.sampled_from([None, -0.5, 0.0, 0.05, 1.0, 1.5, math.inf, math.nan]) | st.floats(0, 1)
UUIDS = st.uuids().map(str) | st.uuids().map(lambda value: value.hex) | st.uuids().map(lambda value: f"urn:uuid:{value}")
UUIDS |= st.uuids().map(lambda value: f"{{{value}}}") | st.uuids().map(lambda value: str(value).upper())
BAD_UUIDS = st.sampled_from([None, "", "17", "0" * 31, "0" * 33, "g" * 32, "{" + "0" * 32 + "}", "0000-" * 7 + "0000"])
CURRENCY = st.sampled_from([None, "USD", "usd", "EURO", "EU", "EUR\n", ""])
OBJECTS = st.sampled_from(['{"a": 1}', "[]", "{", "", "null", '{"a": null}', '{"a": ["b"]}', '"text"'])
OBJECTS |= st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3).map(json.dumps)


def texts(longest: int) -> st.SearchStrategy[str | None]:
    edge = st.sampled_from(["", "x", " ", "é" * longest, "x" * (longest + 1), "家" * longest])
    return st.none() | edge | st.text(max_size=5)


IDS = texts(128)
NAME = st.none() | st.text(max_size=3)
ARM = st.none() | st.fixed_dictionaries({"experiment": NAME, "variant": NAME, "layer": NAME})
ARMS = st.none() | st.lists(ARM, max_size=3)
ROWS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "events": {
        "event_id": UUIDS | BAD_UUIDS,
        "event_type": st.sampled_from([*EventType, "buy", "", None]).map(lambda kind: kind and str(kind)),
        "schema_version": st.sampled_from([1, 1, 1, 0, 2, None]),
        "occurred_at": MOMENT,
        "sent_at": MOMENT,
        "user_id": IDS,
        "session_id": IDS,
        "order_id": IDS,
        "item_id": IDS,
        "quantity": AMOUNT,
        "unit_price": AMOUNT,
        "unit_discount": AMOUNT,
        "currency": CURRENCY,
        "rating": AMOUNT,
        "query": texts(512),
        "surface": texts(64),
        "request_id": texts(128),
        "position": WHOLE,
        "propensity": CHANCE,
        "source": texts(64),
        "bundle": texts(64),
        "served_by": texts(128),
        "team": texts(64),
        "variant": texts(64),
        "experiments": ARMS,
        "dwell_ms": WHOLE,
        "device": texts(64),
        "channel": texts(64),
        "store_id": texts(64),
        "custom_type": texts(64),
        "consent": st.sampled_from([True, False, None]),
        "consent_analytics": st.sampled_from([True, False, None]),
        "properties": st.none() | st.text(max_size=5),
        "received_at": MOMENT,
    },
    "items": {
        "item_id": IDS,
        "title": texts(512),
        "category_path": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=9),
        "brand": texts(128),
        "family_id": IDS,
        "price": AMOUNT,
        "currency": CURRENCY,
        "margin": AMOUNT,
        "availability": st.sampled_from([*Availability, "sold", None]).map(lambda kind: kind and str(kind)),
        "created_at": MOMENT,
        "attributes": st.none() | OBJECTS,
        "image_url": texts(2048),
    },
    "users": {
        "user_id": IDS,
        "created_at": MOMENT,
        "region": texts(64),
        "age_band": texts(32),
        "income_band": texts(32),
        "household_size": texts(32),
        "household_composition": texts(64),
        "attributes": st.none() | OBJECTS,
    },
    "promotions": {
        "item_id": IDS,
        "store_id": texts(64),
        "starts_at": MOMENT,
        "ends_at": MOMENT,
        "display": texts(64),
        "mailer": texts(64),
    },
}
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
GOOD: dict[str, dict[str, Any]] = {
    "events": {
        "event_id": "5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2017",
        "event_type": "purchase",
        "schema_version": 1,
        "occurred_at": NOW,
        "received_at": NOW,
        "session_id": "s",
        "item_id": "A1",
        "quantity": 1.0,
        "unit_price": 2.0,
        "currency": "EUR",
        "consent": True,
        "consent_analytics": True,
    },
    "items": {"item_id": "A1", "title": "Tea", "category_path": [], "availability": "in_stock", "attributes": "{}"},
    "users": {"user_id": "ann", "attributes": "{}"},
    "promotions": {"item_id": "A1", "starts_at": NOW, "ends_at": NOW},
}


def contract_accepts(contract: type[BaseModel], row: dict[str, Any]) -> bool:
    record = dict(row)
    if isinstance(record.get("attributes"), str):
        try:
            record["attributes"] = json.loads(record["attributes"])
        except json.JSONDecodeError:
            return False
    try:
        contract.model_validate(record)
    except ValidationError:
        return False
    return True


def as_frame(table: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    lenient = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[table])])
    return pl.DataFrame(pa.Table.from_pylist(rows, schema=lenient))


def complete(table: str, **changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(TABLES[table].model_fields), **GOOD[table], **changes}


@st.composite
def rows_near_the_contract(draw: st.DrawFn, table: str) -> dict[str, Any]:
    """A good row with a few columns redrawn, so that both verdicts come up often."""
    changed = draw(st.sets(st.sampled_from(sorted(ROWS[table])), max_size=3))
    return complete(table, **{name: draw(ROWS[table][name]) for name in sorted(changed)})


@pytest.mark.parametrize("table", TABLES)
def test_strategies_cover_every_column(table: str) -> None:
    assert list(ROWS[table]) == list(TABLES[table].model_fields)


@pytest.mark.parametrize("table", TABLES)
@given(data=st.data())
@examples(40)
def test_a_table_row_is_judged_as_its_contract_judges_it(table: str, data: st.DataObject) -> None:
    rows = data.draw(st.lists(rows_near_the_contract(table) | st.fixed_dictionaries(ROWS[table]), min_size=1, max_size=12))
    refused = set(find_problems(as_frame(table, rows), table_schema(table))["place"].to_list())
    assert {place for place, row in enumerate(rows) if not contract_accepts(TABLES[table], row)} == refused


@pytest.mark.parametrize("table", TABLES)
def test_a_good_row_has_no_problem(table: str) -> None:
    assert find_problems(as_frame(table, [complete(table)]), table_schema(table, pl.Series(["A1"]))).is_empty()


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"item_id": None}, "item_id", "missing; an event of this type needs it"),
        ({"item_id": "A2"}, "item_id", "not in the table items"),
        ({"event_type": "search"}, "query", "missing; a search or search_result event needs it"),
        ({"quantity": None}, "quantity", "missing; a purchase event needs it"),
        ({"currency": None}, "currency", "missing; a price needs it"),
        ({"event_type": "buy"}, "event_type", "must be one of page_view"),
        ({"occurred_at": None}, "occurred_at", "missing"),
        ({"unit_price": math.nan}, "unit_price", "must be a finite number"),
        ({"session_id": "x" * 129}, "session_id", "must have 128 or fewer characters"),
    ],
)
def test_a_problem_names_the_column_and_the_reason(changes: dict[str, Any], column: str, reason: str) -> None:
    frame = as_frame("events", [complete("events"), complete("events", **changes)])
    [problem] = find_problems(frame, table_schema("events", pl.Series(["A1"]))).to_dicts()
    assert (problem["place"], problem["column"]) == (1, column)
    assert problem["reason"].startswith(reason)


def test_an_unknown_constraint_of_a_contract_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic import Field

    class Odd(BaseModel):
        name: int = Field(multiple_of=3)

    monkeypatch.setitem(TABLES, "odd", Odd)
    with pytest.raises(TypeError, match="no check for"):
        table_schema("odd")
