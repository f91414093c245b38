from typing import Any

import pyarrow as pa
import pytest
from pydantic import BaseModel

from endcap.contracts.tables import REQUIRED_TABLES, TABLES, UTC_TIMESTAMP, arrow_schema


@pytest.mark.parametrize("table", TABLES)
def test_every_field_is_a_described_column_in_order(table: str) -> None:
    schema = arrow_schema(TABLES[table])
    assert schema.names == list(TABLES[table].model_fields)
    assert all(field.metadata[b"description"] for field in schema)
    assert schema.metadata == {b"contract": TABLES[table].__name__.encode()}


def test_types_and_nulls_follow_the_contract() -> None:
    events, items = arrow_schema(TABLES["events"]), arrow_schema(TABLES["items"])
    assert events.field("occurred_at").type == UTC_TIMESTAMP
    assert events.field("event_id").type == pa.string()
    assert events.field("position").type == pa.int64()
    assert (events.field("user_id").nullable, events.field("session_id").nullable) == (True, False)
    assert events.field("experiments").nullable
    assert events.field("experiments").type == pa.list_(
        pa.struct([("experiment", pa.string()), ("variant", pa.string()), ("layer", pa.string())])
    )
    assert items.field("category_path").type == pa.list_(pa.string())
    assert items.field("created_at").type == UTC_TIMESTAMP
    assert items.field("attributes").type == pa.string()


def test_a_type_without_a_column_is_an_error() -> None:
    class Odd(BaseModel):
        value: tuple[Any, ...]

    with pytest.raises(TypeError, match="no column type"):
        arrow_schema(Odd)


def test_the_needed_tables_are_tables() -> None:
    assert set(REQUIRED_TABLES) <= set(TABLES)
