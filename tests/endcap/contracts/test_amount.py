"""Numbers that no table holds are refused wherever they come in, and named."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from endcap.catalogue.item_updates import REASON, conformed, with_reasons
from endcap.contracts.amount import AMOUNT_MAX
from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.item_update import ItemUpdate
from endcap.dataset.validation import describe_checks
from tests.properties import examples

NOW = datetime(2026, 11, 1, tzinfo=UTC)
EVENT = {"event_id": str(uuid4()), "event_type": "purchase", "occurred_at": NOW, "received_at": NOW, "session_id": "s", "item_id": "i"}
PRICED = EVENT | {"quantity": 1.0, "currency": "EUR"}
CASES: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (Item, {"item_id": "i", "title": "Tea", "category_path": []}, "price"),
    (ItemUpdate, {"item_id": "i", "updated_at": NOW}, "price"),
    (ItemUpdate, {"item_id": "i", "updated_at": NOW}, "purchases_7d"),
    (ItemUpdate, {"item_id": "i", "updated_at": NOW}, "trend"),
    (Event, PRICED, "quantity"),
    (Event, PRICED, "unit_price"),
    (Event, PRICED, "unit_discount"),
    (Event, EVENT | {"event_type": "rating", "rating": 1.0}, "rating"),
]


@pytest.mark.parametrize(("contract", "known", "field"), CASES)
@examples(30)
@given(value=st.floats(min_value=AMOUNT_MAX, exclude_min=True, allow_infinity=False))
def test_more_than_an_amount_is_refused_by_name(contract: type[BaseModel], known: dict[str, Any], field: str, value: float) -> None:
    assert getattr(contract(**known | {field: AMOUNT_MAX}), field) == AMOUNT_MAX
    with pytest.raises(ValidationError) as caught:
        contract(**known | {field: value})
    assert [(error["loc"], error["type"]) for error in caught.value.errors()] == [((field,), "amount")]


def test_an_amount_and_the_product_of_two_are_finite_in_the_tables_that_serve_them() -> None:
    assert np.isfinite(np.float32(AMOUNT_MAX) * np.float32(AMOUNT_MAX))


def test_the_bound_is_not_in_the_schemas_that_are_released() -> None:
    assert all(str(int(AMOUNT_MAX)) not in str(contract.model_json_schema()) for contract in (Item, ItemUpdate, Event))


def test_rows_of_a_file_of_updates_are_refused_alone() -> None:
    rows = pl.DataFrame({"item_id": ["a", "b"], "updated_at": [NOW, NOW], "price": [1e13, 2.0]})
    judged = with_reasons(conformed(rows))
    assert judged[REASON].to_list() == ["price: must lie within 1e+12 either way", None]


def test_rows_of_a_dataset_are_refused_alone() -> None:
    assert "must lie within 1e+12 either way" in describe_checks("items")["price"]
    assert "must lie within 1e+12 either way" in describe_checks("events")["quantity"]
