import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import DataRejected
from endcap.dataset.assembly import canonical_sources, judge_dataset
from endcap.dataset.layout import Dataset, open_dataset, reusable_dataset, write_description

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
EVENT = {
    "event_id": "5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2017",
    "event_type": "product_view",
    "schema_version": 1,
    "occurred_at": NOW,
    "received_at": NOW,
    "session_id": "s",
    "item_id": "A1",
    "consent": True,
    "consent_analytics": True,
}
ITEM = {"item_id": "A1", "title": "Tea", "category_path": ["Food"], "availability": "in_stock", "attributes": "{}"}


def write_table(folder: Path, table: str, rows: list[dict]) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema=arrow_schema(TABLES[table])), folder / f"{table}.parquet")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    folder = tmp_path / "data"
    folder.mkdir()
    write_table(folder, "events", [EVENT])
    write_table(folder, "items", [ITEM])
    made = Dataset(folder, "test", None, "f", {"items": 1, "events": 1}, {"items": 0, "events": 0}, NOW, NOW)
    write_description(made)
    return made


def test_a_written_description_is_read_back(dataset: Dataset) -> None:
    assert open_dataset(dataset.path) == dataset
    assert dataset.has("events")
    assert not dataset.has("users")


def test_a_missing_folder_says_how_to_import(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="nothing: the dataset folder is missing; import the data again: endcap import complete-journey"):
        open_dataset(tmp_path / "nothing")


@pytest.mark.parametrize("content", ["{", "[]", '{"source": "x"}', '{"rows": 3}'])
def test_a_damaged_description_is_named(dataset: Dataset, content: str) -> None:
    (dataset.path / "dataset.json").write_text(content)
    with pytest.raises(DataRejected, match=r"dataset\.json: the dataset's description is not readable"):
        open_dataset(dataset.path)


def test_a_missing_table_is_named(dataset: Dataset) -> None:
    dataset.table("items").unlink()
    with pytest.raises(DataRejected, match=r"items\.parquet: the table is missing"):
        open_dataset(dataset.path)


def test_a_corrupt_table_is_named(dataset: Dataset) -> None:
    whole = dataset.table("events").read_bytes()
    dataset.table("events").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataRejected, match=r"events\.parquet: not a readable Parquet file"):
        open_dataset(dataset.path)


def test_damage_inside_a_table_is_found_by_judging_it(dataset: Dataset) -> None:
    whole = bytearray(dataset.table("events").read_bytes())
    whole[4:300] = b"\xff" * 296
    dataset.table("events").write_bytes(whole)
    with pytest.raises(DataRejected, match=r"events\.parquet: not a readable Parquet file"):
        judge_dataset(open_dataset(dataset.path), 0.5)


def test_columns_that_do_not_fit_the_contract_are_named(dataset: Dataset) -> None:
    table = pl.read_parquet(dataset.table("items")).with_columns(pl.lit("1").alias("price"), pl.lit(1).alias("colour"))
    table.write_parquet(dataset.table("items"))
    with pytest.raises(DataRejected, match=r"missing or of another type: \['price'\]; unknown: \['colour'\]"):
        open_dataset(dataset.path)


def test_a_table_of_another_dataset_is_noticed(dataset: Dataset) -> None:
    write_table(dataset.path, "events", [EVENT, {**EVENT, "event_id": "5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2018"}])
    with pytest.raises(DataRejected, match=r"the file has 2 rows and dataset\.json says 1"):
        open_dataset(dataset.path)


def test_a_dataset_without_events_is_refused(dataset: Dataset) -> None:
    write_table(dataset.path, "events", [])
    described = json.loads((dataset.path / "dataset.json").read_text())
    (dataset.path / "dataset.json").write_text(json.dumps({**described, "rows": {"items": 1, "events": 0}}))
    with pytest.raises(DataRejected, match="there are no events"):
        open_dataset(dataset.path)


def test_tables_written_by_polars_open_too(dataset: Dataset) -> None:
    for table in dataset.rows:
        pl.read_parquet(dataset.table(table)).write_parquet(dataset.table(table))
    assert open_dataset(dataset.path) == dataset


def test_events_from_before_propensities_were_kept_open_and_pass(dataset: Dataset) -> None:
    pl.read_parquet(dataset.table("events")).drop("propensity", "source", "bundle", "variant").write_parquet(dataset.table("events"))
    assert open_dataset(dataset.path) == dataset
    assert {tally.table: tally.rejected for tally in judge_dataset(dataset, 0.0)} == {"items": 0, "events": 0}


def test_judging_counts_bad_rows_and_repeated_ids(dataset: Dataset) -> None:
    rows = [EVENT, EVENT, {**EVENT, "event_id": EVENT["event_id"].upper()}, {**EVENT, "event_id": "x"}, {**EVENT, "item_id": "A2"}]
    rows += [{**EVENT, "session_id": "another"}]
    write_table(dataset.path, "events", rows)
    tallies = {tally.table: tally for tally in judge_dataset(dataset, 1.0)}
    assert (tallies["events"].rows, tallies["events"].rejected, tallies["events"].copies) == (1, 3, 2)
    assert tallies["events"].reasons == {
        ("event_id", "must be a UUID"): 1,
        ("event_id", "the same id with other content; the first row stays"): 1,
        ("item_id", "not in the table items"): 1,
    }


def test_events_from_before_analytics_consent_open_and_pass_and_are_complete(dataset: Dataset) -> None:
    pl.read_parquet(dataset.table("events")).drop("consent_analytics").write_parquet(dataset.table("events"))
    assert open_dataset(dataset.path) == dataset
    assert {tally.table: tally.rejected for tally in judge_dataset(dataset, 0.0)} == {"items": 0, "events": 0}
    (source,) = canonical_sources(dataset, ["events"])
    assert [batch.rows["consent_analytics"].to_pylist() for batch in source.batches()] == [[True]]


def test_a_column_that_events_always_had_may_not_be_missing(dataset: Dataset) -> None:
    pl.read_parquet(dataset.table("events")).drop("consent").write_parquet(dataset.table("events"))
    with pytest.raises(DataRejected, match=r"missing or of another type: \['consent'\]"):
        open_dataset(dataset.path)


def test_a_dataset_that_is_missing_damaged_or_of_another_source_is_imported_again(dataset: Dataset) -> None:
    assert reusable_dataset(dataset.path, "f") == dataset
    assert reusable_dataset(dataset.path, "another") is None
    assert reusable_dataset(dataset.path / "nothing", "f") is None
    dataset.table("items").write_bytes(b"not parquet")
    assert reusable_dataset(dataset.path, "f") is None


def test_a_description_that_the_disk_does_not_give_is_an_error_and_no_reason_to_import_again(dataset: Dataset) -> None:
    (dataset.path / "dataset.json").unlink()
    (dataset.path / "dataset.json").mkdir()
    with pytest.raises(IsADirectoryError, match=r"dataset\.json"):
        reusable_dataset(dataset.path, "f")
