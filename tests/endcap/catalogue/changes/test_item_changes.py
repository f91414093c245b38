"""What items are now hangs on what was said of them, not on how it came."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.changes.catalogue_change import SubmittedItem, SubmittedItemUpdate, change_of
from endcap.catalogue.changes.change_log import changes_of, read_changes
from endcap.catalogue.changes.item_changes import CHANGES_SCHEMA, STATE_SCHEMA, ItemChanges
from endcap.catalogue.changes.sink import ItemChangesSink
from endcap.catalogue.changes.waiting_items import WAITING_FILE, WaitingItems
from endcap.catalogue.item_updates import UPDATES_FILE, merged_updates, read_updates, update_schema, write_updates
from endcap.core.errors import DataRejected
from endcap.events.stream.function import Instant
from tests.properties import examples

START = datetime(2026, 1, 1, tzinfo=UTC)
AT = Instant(START, START)
CUP = {"item_id": "cup", "title": "Cup", "category_path": ["Kitchen"]}


def line(number: int, minute: int, **said: Any) -> bytes:
    """A line of the log, received in the order of the numbers."""
    contract = SubmittedItem if "title" in said else SubmittedItemUpdate
    moment = START + timedelta(minutes=minute)
    change = change_of(contract.model_validate_json(json.dumps(said)), UUID(int=number), moment, START + timedelta(hours=1, seconds=number))
    return change.model_dump_json(exclude_none=True).encode() + b"\n"


def rows_of(lines: list[bytes], parts: int = 1) -> pl.DataFrame:
    """What the function says of items last, after so many steps with the state handed over between."""
    function = ItemChanges()
    state, rows = STATE_SCHEMA.to_frame(), CHANGES_SCHEMA.to_frame()
    for part in range(parts):
        keyed = function.keyed(changes_of(b"".join(lines[part::parts])))
        touched = keyed["key"].unique().implode()
        step = function.step(state.filter(pl.col("key").is_in(touched)), keyed, AT)
        state = pl.concat([state.filter(~pl.col("key").is_in(touched)), step.state])
        rows = pl.concat([rows.filter(~pl.col("item_id").is_in(touched)), step.rows])
    return rows.sort("item_id", "updated_at")


SAID = st.fixed_dictionaries(
    {"item_id": st.sampled_from("ab")},
    optional={
        "price": st.sampled_from([1.0, 2.0, 3.0]),
        "availability": st.sampled_from(["in_stock", "out_of_stock"]),
        "margin": st.just(0.5),
    },
)


@examples(25)
@given(said=st.lists(st.tuples(st.integers(0, 3), SAID), min_size=1, max_size=12), seed=st.integers(0, 99), parts=st.integers(1, 4))
def test_the_order_in_which_changes_are_read_does_not_matter(said: list[tuple[int, dict[str, Any]]], seed: int, parts: int) -> None:
    lines = [line(number, minute, **update) for number, (minute, update) in enumerate(said, start=1)]
    whole = rows_of(lines)
    shuffled = random.Random(seed).sample([*lines, *lines[:3]], len(lines) + len(lines[:3]))
    assert rows_of(shuffled, parts).equals(whole)
    merged = merged_updates(update_schema().to_frame(), changes_of(b"".join(lines)).select(update_schema().names()))
    again = merged_updates(update_schema().to_frame(), whole.select(update_schema().names()))
    values = [name for name in update_schema() if name != "updated_at"]
    assert _flat(again, values) == _flat(merged, values), "the same as the file's own merging"


def _flat(updates: pl.DataFrame, values: list[str]) -> set[tuple[str, str, Any]]:
    return {(row["item_id"], name, row[name]) for row in updates.select(values).to_dicts() for name in values if row[name] is not None}


def test_a_whole_item_says_price_and_stock_and_what_comes_later_holds() -> None:
    rows = rows_of([line(1, 0, **CUP, price=7.0), line(2, 1, item_id="cup", price=8.0), line(3, 0, item_id="cup", price=1.0)])
    assert rows.select("price", "availability").rows() == [(None, "in_stock"), (8.0, None)]
    (item,) = rows["item"].drop_nulls()
    assert json.loads(item) == CUP | {"price": 7.0, "availability": "in_stock", "attributes": {}}


def test_of_one_moment_the_one_that_stands_last_in_its_request_holds() -> None:
    assert rows_of([line(2, 0, item_id="a", price=2.0), line(1, 0, item_id="a", price=1.0)])["price"].to_list() == [2.0]


class Folder:
    """A live folder that changes are delivered to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: list[str] = ["tea"]
        self.waiting = -1
        self.sink = ItemChangesSink(path, lambda: pl.Series(self.known, dtype=pl.String), self.count)

    def count(self, waiting: int) -> None:
        self.waiting = waiting

    def waits(self) -> list[str]:
        return WaitingItems(self.path / WAITING_FILE).read()["item_id"].to_list()


def test_changes_reach_the_servers_file_and_new_items_wait_until_a_bundle_knows_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    write_updates(tmp_path / UPDATES_FILE, pl.DataFrame({"item_id": ["tea"], "updated_at": [START], "purchases_7d": [3.0]}))
    rows = rows_of([line(1, 1, item_id="tea", price=2.0), line(2, 1, **CUP), line(3, 1, item_id="pot", price=4.0)])
    for _ in range(2):
        folder.sink.deliver(rows)
        assert folder.waits() == ["cup"], "an update alone is no item that could be trained"
        assert folder.waiting == 1
        kept = read_updates(tmp_path / UPDATES_FILE).sort("item_id", "updated_at")
        assert kept.select("item_id", "price", "purchases_7d").rows() == [
            ("cup", None, None),
            ("pot", 4.0, None),
            ("tea", None, 3.0),
            ("tea", 2.0, None),
        ]
    folder.sink.deliver(rows_of([line(4, 2, **CUP | {"title": "Mug"})]))
    (item,) = WaitingItems(tmp_path / WAITING_FILE).read()["item"]
    assert json.loads(item)["title"] == "Mug"
    folder.known.append("cup")
    folder.sink.deliver(rows_of([line(5, 3, item_id="tea", price=3.0)]))
    assert (folder.waits(), folder.waiting) == ([], 0)


def test_a_damaged_file_keeps_changes_waiting(tmp_path: Path) -> None:
    (tmp_path / UPDATES_FILE).write_bytes(b"damaged")
    with pytest.raises(DataRejected):
        Folder(tmp_path).sink.deliver(rows_of([line(1, 1, item_id="tea", price=2.0)]))
    (tmp_path / UPDATES_FILE).unlink()
    (tmp_path / WAITING_FILE).write_bytes(b"damaged")
    with pytest.raises(DataRejected):
        Folder(tmp_path).sink.deliver(rows_of([line(1, 1, **CUP)]))


def test_an_unended_line_is_not_read_yet(tmp_path: Path) -> None:
    (tmp_path / "20260101T000000-1.jsonl.open").write_bytes(line(1, 0, item_id="a", price=1.0) + b'{"item_id":"b"')
    (tmp_path / "20251231T000000-1.jsonl").write_bytes(line(2, 0, item_id="c", margin=0.1))
    assert read_changes(tmp_path)["item_id"].to_list() == ["c", "a"]
    assert read_changes(tmp_path / "nowhere").is_empty()
