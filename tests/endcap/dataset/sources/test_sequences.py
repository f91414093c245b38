"""Sequences become a dataset whose times carry their order."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from endcap.cli.importing import app
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.assembly import judge_dataset
from endcap.dataset.layout import ORDER_ONLY, Dataset, open_dataset
from endcap.dataset.sources.sequences import LAST_DAY, SequenceFiles, import_sequences
from tests.properties import examples


def made(folder: Path, sequences: Sequence[Sequence[str]], attributes: dict[str, list[int]] | None = None) -> Dataset:
    folder.mkdir(exist_ok=True)
    (folder / "lines.txt").write_text("\n".join(" ".join([f"u{user}", *items]) for user, items in enumerate(sequences)))
    if attributes is not None:
        (folder / "attributes.json").write_text(json.dumps(attributes))
    known = folder / "attributes.json" if attributes is not None else None
    return import_sequences(SequenceFiles(folder / "lines.txt", known), folder / "dataset", 0.0, force=True)[0]


@given(st.lists(st.lists(st.sampled_from(["7", "8", "9", "10"]), min_size=1, max_size=12), min_size=1, max_size=6))
@examples(12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_events_sorted_by_time_are_the_sequences(tmp_path: Path, sequences: list[list[str]]) -> None:
    dataset = made(tmp_path, sequences)
    events = pl.read_parquet(dataset.table("events")).sort("user_id", "occurred_at")
    read = events.group_by("user_id", maintain_order=True).agg(
        "item_id", pl.col("occurred_at").diff().dt.total_days().drop_nulls().alias("gaps")
    )
    assert dict(zip(read["user_id"], read["item_id"].to_list(), strict=True)) == {f"u{user}": items for user, items in enumerate(sequences)}
    assert all(gap == 1 for gaps in read["gaps"].to_list() for gap in gaps)
    assert events.group_by("user_id").agg(pl.col("occurred_at").max())["occurred_at"].unique().to_list() == [LAST_DAY]
    assert events["session_id"].n_unique() == len(events)
    assert events.select("unit_price", "currency").null_count().row(0) == (len(events), len(events))


def test_attributes_stand_in_the_items(tmp_path: Path) -> None:
    dataset = made(tmp_path, [["1", "2"], ["2", "3"]], {"1": [5, 6], "2": [], "4": [6]})
    items = pl.read_parquet(dataset.table("items"))
    found = dict(zip(items["item_id"], map(json.loads, items["attributes"]), strict=True))
    assert found == {"1": {"5": "yes", "6": "yes"}, "2": {}, "3": {}, "4": {"6": "yes"}}


def test_the_dataset_holds_what_the_contracts_ask_and_says_that_it_knows_an_order_only(tmp_path: Path) -> None:
    made(tmp_path, [["1", "2"], ["2"]], {"1": [5]})
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.source == ORDER_ONLY
    assert dataset.rows == {"items": 2, "users": 2, "events": 3}
    assert sum(tally.rejected for tally in judge_dataset(dataset, 0.0)) == 0


def test_a_user_without_items_is_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match=r"a user and no items.*got \[2\]"):
        made(tmp_path, [["1"], []])
    with pytest.raises(DataRejected, match="no lines"):
        made(tmp_path, [])


def test_files_that_are_not_there_or_something_else_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("u 1 2\n")
    (tmp_path / "list.json").write_text("[1, 2]")
    with pytest.raises(InvalidInput, match="--interactions: the file is missing"):
        import_sequences(SequenceFiles(tmp_path / "nothing.txt"), tmp_path / "out", 0.0)
    with pytest.raises(InvalidInput, match="--attributes: not a JSON object of lists"):
        import_sequences(SequenceFiles(tmp_path / "lines.txt", tmp_path / "list.json"), tmp_path / "out", 0.0)


def test_the_command_reuses_what_it_made_from_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("u 1 2\n")
    arguments = ["sequences", "--interactions", str(tmp_path / "lines.txt"), "--out", str(tmp_path / "out"), "--json"]
    assert [json.loads(CliRunner().invoke(app, arguments).stdout)["reused"] for _ in range(2)] == [False, True]
    (tmp_path / "lines.txt").write_text("u 1 2 3\n")
    assert not json.loads(CliRunner().invoke(app, arguments).stdout)["reused"]
