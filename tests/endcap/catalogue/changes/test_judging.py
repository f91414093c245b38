"""Whatever is sent as an item is taken as the contract has it, or refused with a reason."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.changes.change_log import changes_of
from endcap.catalogue.changes.judging import AcceptedChange, RefusedChange, judged_change
from endcap.contracts.catalogue_change import CatalogueChange
from endcap.contracts.item import Item
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
FIELDS = sorted({*CatalogueChange.model_fields, *Item.model_fields})
VALUE = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2)
LIKELY = st.sampled_from(["a", "in_stock", 2.5, ["Kitchen"], {"size": "L"}, "2026-03-01T07:00:00Z", "EUR"])


def judged(text: str) -> AcceptedChange | RefusedChange:
    return judged_change(text, UUID(int=1), NOW)


@examples(150)
@given(given_=st.dictionaries(st.sampled_from(FIELDS), LIKELY | VALUE, max_size=6))
def test_any_object_becomes_a_line_that_is_read_back_or_is_refused(given_: dict[str, Any]) -> None:
    verdict = judged(json.dumps({"item_id": "tea"} | given_))
    if isinstance(verdict, RefusedChange):
        assert verdict.reason
        return
    change = CatalogueChange.model_validate_json(verdict.line)
    assert change.updated_at <= NOW
    assert verdict.is_whole == (change.item is not None)
    (row,) = changes_of(verdict.line.encode()).to_dicts()
    assert row == change.model_dump(mode="json") | {"updated_at": change.updated_at, "received_at": NOW}
    if change.item is not None:
        assert Item.model_validate_json(change.item).item_id == change.item_id


@examples(60)
@given(
    text=st.text(max_size=30)
    | st.sampled_from(['{"item_id":"a","price":' + "9" * 5_000 + "}", "[" * 10_000, '{"item_id":"a\\ud800","price":1}'])
)
def test_any_text_is_judged(text: str) -> None:
    assert isinstance(judged(text), RefusedChange)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"item_id": "a", "price": 1, "price": 2}', "a key stands twice"),
        ('{"item_id": "a", "price": NaN}', "no JSON number"),
        ('{"item_id": "a", "price": 1e999}', "finite number"),
        ('{"item_id": "a", "change_id": "x", "price": 1}', "no field of the contract"),
        ('{"item_id": "a", "received_at": "2026-03-01T07:00:00Z", "price": 1}', "no field of the contract"),
    ],
)
def test_what_json_readers_let_pass_is_refused(text: str, reason: str) -> None:
    verdict = judged(text)
    assert isinstance(verdict, RefusedChange)
    assert reason in verdict.reason
