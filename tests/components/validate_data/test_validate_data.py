"""The pipeline takes in a dataset as it is, or says why not."""

import errno
import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import DataRejected
from endcap.training.plan import read_plan
from endcap_components.validate_data.step import validate_data_step


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    moment = datetime(2017, 5, 1, tzinfo=UTC)
    event = dict.fromkeys(Event.model_fields) | {
        "event_id": "0" * 32,
        "event_type": "purchase",
        "schema_version": 1,
        "occurred_at": moment,
        "received_at": moment,
        "session_id": "s",
        "item_id": "i",
        "consent": True,
    }
    item = dict.fromkeys(Item.model_fields) | {
        "item_id": "i",
        "title": "Thing",
        "category_path": ["a"],
        "availability": "in_stock",
        "attributes": "{}",
    }
    for name, row, contract in (("events", event, Event), ("items", item, Item)):
        schema = pl.from_arrow(arrow_schema(contract).empty_table()).schema  # type: ignore[union-attr]
        pl.DataFrame([row], schema=schema).write_parquet(folder / f"{name}.parquet")
    description = {
        "layout_version": 1,
        "source": "made",
        "currency": "USD",
        "fingerprint": "f1",
        "first_event_at": moment.isoformat(),
        "last_event_at": moment.isoformat(),
        "rows": {"events": 1, "items": 1},
        "rejected": {"events": 0, "items": 0},
    }
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


def test_the_dataset_is_taken_as_it_is_now(data_dir: Path, tmp_path: Path) -> None:
    taken = validate_data_step(data_dir, "f1", tmp_path / "artifacts" / "dataset", tmp_path / "artifacts" / "plan").dataset
    assert taken.rows == {"events": 1, "items": 1}
    before = taken.table("items").read_bytes()
    (data_dir / "items.parquet").unlink()
    (data_dir / "items.parquet").write_bytes(b"another import")
    assert taken.table("items").read_bytes() == before


def test_another_dataset_than_expected_is_refused(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="changed"):
        validate_data_step(data_dir, "f2", tmp_path / "dataset", tmp_path / "plan")
    assert not (tmp_path / "dataset").exists()


def test_a_damaged_table_is_named(data_dir: Path, tmp_path: Path) -> None:
    (data_dir / "events.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataRejected, match=r"events\.parquet"):
        validate_data_step(data_dir, "f1", tmp_path / "dataset", tmp_path / "plan")
    assert not (tmp_path / "dataset").exists()


def test_tables_that_cannot_be_linked_are_copied(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr("endcap.core.files.os.link", refused)
    taken = validate_data_step(data_dir, "f1", tmp_path / "dataset", tmp_path / "plan").dataset
    assert taken.table("items").read_bytes() == (data_dir / "items.parquet").read_bytes()
    assert taken.table("items").stat().st_nlink == 1


def test_the_plan_lies_in_a_folder_of_its_own(data_dir: Path, tmp_path: Path) -> None:
    done = validate_data_step(data_dir, "f1", tmp_path / "dataset", tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == done.plan
    assert done.plan.dataset_fingerprint == "f1"


def test_a_folder_without_a_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="not a training plan"):
        read_plan(tmp_path)
