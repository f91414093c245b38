"""Sets of purchases and cart additions with a holdout of their own, as studies of several behaviours publish them."""

from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from endcap.cli.importing import app
from endcap.core.errors import DataRejected, EndcapError, InvalidInput
from endcap.dataset.assembly import judge_dataset
from endcap.dataset.holdout import read_holdout
from endcap.dataset.layout import Dataset, open_dataset
from endcap.dataset.sources.sequences import LAST_DAY, SequenceFiles, SequenceReading, import_sequences

FILES = {"train": "a 1 2 3 3\nb 2 4\n", "cart": "a 1 2 3 5 6\nb 2 4 5\nc 6\n", "test": "a 5\nb 1\n"}


def made(folder: Path, *, unordered: bool = True, **contents: str) -> Dataset:
    paths = {}
    for name, text in (FILES | contents).items():
        paths[name] = folder / f"{name}.txt"
        paths[name].write_text(text)
    files = SequenceFiles(paths["train"], carts=paths["cart"], holdout=paths["test"])
    return import_sequences(files, folder / "dataset", 0.0, reading=SequenceReading(unordered=unordered), force=True)[0]


def test_carts_are_events_and_what_is_held_out_is_in_none(tmp_path: Path) -> None:
    made(tmp_path)
    dataset = open_dataset(tmp_path / "dataset")
    events = pl.read_parquet(dataset.table("events"))
    found = {kind: set(part.select("user_id", "item_id").rows()) for (kind,), part in events.group_by("event_type")}
    assert found["purchase"] == {("a", "1"), ("a", "2"), ("a", "3"), ("b", "2"), ("b", "4")}
    assert found["add_to_cart"] == {("a", "1"), ("a", "2"), ("a", "3"), ("a", "6"), ("b", "2"), ("b", "4"), ("b", "5"), ("c", "6")}
    assert len(events) == sum(map(len, found.values()))
    assert read_holdout(dataset).rows() == [("a", "5"), ("b", "1")]
    assert (dataset.held_out, dataset.held_out_cart_additions) == (2, 1)
    assert sum(tally.rejected for tally in judge_dataset(dataset, 0.0)) == 0


def test_an_item_is_carted_in_the_visit_that_buys_it_and_before(tmp_path: Path) -> None:
    events = pl.read_parquet(made(tmp_path).table("events"))
    bought = events.filter(pl.col("event_type") == "purchase")
    both = bought.join(events.filter(pl.col("event_type") == "add_to_cart"), on=["user_id", "item_id", "session_id"])
    assert len(both) == len(bought)
    assert (both["occurred_at_right"] < both["occurred_at"]).all()
    assert events["occurred_at"].max() == LAST_DAY


def test_the_order_within_a_line_changes_nothing(tmp_path: Path) -> None:
    moments = [
        pl.read_parquet(made(tmp_path, train=train).table("events"))
        .sort("user_id", "occurred_at")
        .select("user_id", "item_id", "occurred_at")
        for train in (FILES["train"], "a 3 2 1\nb 4 2\n")
    ]
    assert moments[0].equals(moments[1])
    dataset = open_dataset(tmp_path / "dataset")
    assert not dataset.knows_order
    assert not dataset.knows_times


@pytest.mark.parametrize(
    ("contents", "error", "message"),
    [
        ({"test": "a 5\nz 1\n"}, DataRejected, "1 purchases held out are of people without interactions, first item '1' of user 'z'"),
        ({"test": "a 77\n"}, DataRejected, "1 purchases held out are of items that stand nowhere else, first item '77' of user 'a'"),
        ({"test": "a 2 5\n"}, DataRejected, "1 purchases held out are among the same person's interactions, first item '2'"),
        ({"test": "\n"}, DataRejected, "there are no lines"),
        ({"test": "a\n"}, DataRejected, "a user and no items"),
        ({"cart": "a\n"}, DataRejected, "a user and no items"),
    ],
)
def test_a_holdout_that_cannot_be_judged_is_refused_in_one_sentence(
    tmp_path: Path, contents: dict[str, str], error: type[EndcapError], message: str
) -> None:
    with pytest.raises(error, match=message):
        made(tmp_path, **contents)
    assert not (tmp_path / "dataset").exists()


def test_carts_beside_an_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--carts: nothing says when among the purchases a cart addition was"):
        made(tmp_path, unordered=False)


def test_a_dataset_without_a_holdout_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(FILES["train"])
    dataset, _ = import_sequences(SequenceFiles(tmp_path / "train.txt"), tmp_path / "dataset", 0.0)
    with pytest.raises(DataRejected, match=r"holds no purchases out.*--holdout"):
        read_holdout(dataset)


def test_the_command_takes_carts_and_a_holdout(tmp_path: Path) -> None:
    made(tmp_path)
    files = [
        word
        for option, name in (("interactions", "train"), ("carts", "cart"), ("holdout", "test"))
        for word in (f"--{option}", f"{tmp_path / name}.txt")
    ]
    ran = CliRunner().invoke(app, ["sequences", *files, "--unordered", "--out", str(tmp_path / "out")])
    assert ran.exit_code == 0, ran.output
    assert "2 purchases are held out to judge lists by; 1 cart additions of the same items" in ran.output
