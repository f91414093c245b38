"""Sequences without times as a canonical dataset: what each person bought, in order; the form in which research publishes its data.

A line of the interactions file is a user: the user's id, then item ids, oldest first; `endcap.dataset.sources.sequence_lines` reads it. The
attributes file, if any, is a JSON object: item id -> list of attribute ids. The dataset's times carry the order and nothing else: a day a
step. Up to ENDING_LAST people have their last step on LAST_DAY, by which lists are judged, and the one before it on the day before, from
which the ranker learns; everybody else ended two days earlier, so that the towers learn from all of what they did. Quantities are 1, and
there are no prices.

Where a line is a set, its steps are in the order of a hash of ids, which favours no item, and `source` says that it means nothing.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from endcap.contracts.event import EventType
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import InvalidInput
from endcap.dataset.holdout import Holdout
from endcap.dataset.layout import ORDER_ONLY, UNORDERED, Dataset, Origin, reusable_dataset
from endcap.dataset.sources.event_ids import event_uuids
from endcap.dataset.sources.sequence_lines import Separator, UserLines, read_text, read_user_lines
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch, watch_nothing

IMPORTER_VERSION = 4
"""Raised whenever the same files would give another dataset."""

LAST_DAY = datetime(2000, 12, 31, 23, 59, 59, tzinfo=UTC)
"""A second before midnight: a day's steps are the last of their day, and the data ends with it."""
ENDING_LAST = 10_000
"""So many are enough to judge by and to learn an order of candidates from."""
KEPT_DAYS = 2
"""Days at the end that the towers do not see."""
CARTED_BEFORE = timedelta(minutes=1)
"""How long before its purchase an item is put into the cart."""
HAS = "yes"
"""Value of every attribute: the ids are names of what an item has."""


@dataclass(frozen=True)
class SequenceFiles:
    """The files of one data set; the name of the command's option is that of the attribute.

    Attributes:
        interactions: purchases, a user a line.
        attributes: JSON; None where nothing is known of items.
        carts: cart additions, a user a line, in no order.
        holdout: purchases to judge lists by, a user a line.
    """

    interactions: Path
    attributes: Path | None = None
    carts: Path | None = None
    holdout: Path | None = None

    def require(self) -> None:
        """Raises InvalidInput where a file is missing."""
        for option, file in self.given():
            if not file.is_file():
                raise InvalidInput("the file is missing", field=f"--{option}", value=str(file))

    def given(self) -> Iterator[tuple[str, Path]]:
        """The files that there are, by name."""
        for field in fields(self):
            file = getattr(self, field.name)
            if file is not None:
                yield field.name, file


@dataclass(frozen=True)
class SequenceReading:
    """How the files are written; `encoding` None and `separator` AUTO are seen from the files themselves.

    `unordered` says that a line is a set: the order of its items means nothing.
    """

    encoding: str | None = None
    separator: Separator = Separator.AUTO
    unordered: bool = False

    def lines(self, option: str, file: Path) -> UserLines:
        return read_user_lines(file, self.encoding, self.separator, f"--{option}")


def import_sequences(
    files: SequenceFiles,
    target: Path,
    max_rejected_share: float,
    *,
    reading: SequenceReading | None = None,
    force: bool = False,
    watch: Watch = watch_nothing,
) -> tuple[Dataset, bool]:
    """Make the canonical dataset at `target` from sequences, or reuse it when the same files made it.

    Args:
        files: of the data set.
        target: folder of the dataset.
        max_rejected_share: a table with a larger share of bad rows is refused.
        reading: how they are written, where that cannot be seen.
        force: make it even when it is there.
        watch: told of each batch.

    Returns: the dataset, and whether it was there already.

    Raises:
        InvalidInput: a file is missing or not what its name says, or there are carts whose place among ordered purchases nobody knows.
        DataRejected: a line has a user and no items, a table has too many bad rows, or what is held out is unknown or learned from.
    """
    files.require()
    reading = reading or SequenceReading()
    if files.carts and not reading.unordered:
        raise InvalidInput(
            "nothing says when among the purchases a cart addition was", field="--carts", value=str(files.carts), fix="add --unordered"
        )
    source = UNORDERED if reading.unordered else ORDER_ONLY
    origin = Origin(source, _fingerprint(files, max_rejected_share, reading))
    earlier = None if force else reusable_dataset(target, origin.fingerprint)
    if earlier:
        return earlier, True
    from endcap.dataset.assembly import build_dataset

    lines = reading.lines("interactions", files.interactions)
    carts = reading.lines("carts", files.carts) if files.carts else UserLines({}, 0)
    known = _read_attributes(files.attributes, reading.encoding) if files.attributes else {}
    happened = _happened(lines, carts, unordered=reading.unordered)
    holdout = None
    if files.holdout:
        holdout = Holdout.of(_pairs(reading.lines("holdout", files.holdout)), happened, known, files.holdout)
        happened = happened.join(holdout.purchases, on=["user_id", "item_id"], how="anti", maintain_order="left")
    steps = _ended(_steps(happened, unordered=reading.unordered))
    tables = {"items": _items(steps, known, holdout), "users": _users(steps, holdout), "events": _events(steps)}
    copies = {"events": lines.copies + carts.copies}
    sources = [_source(table, frame, files.interactions.name, copies.get(table, 0)) for table, frame in tables.items()]
    return build_dataset(sources, target, origin, max_rejected_share, watch, holdout=holdout), False


def _pairs(lines: UserLines) -> pl.DataFrame:
    """Columns user_id, item_id; a row an interaction, as the lines have them."""
    schema = pl.Schema({"user_id": pl.String(), "item_id": pl.List(pl.String)})
    return pl.DataFrame({"user_id": list(lines.items), "item_id": list(lines.items.values())}, schema=schema).explode("item_id")


def _happened(purchases: UserLines, carts: UserLines, *, unordered: bool) -> pl.DataFrame:
    """Columns user_id, item_id, event_type; a user's rows together, as the lines have them, cart additions first; sets have no repeats."""
    parts = [
        _pairs(lines).with_columns(pl.lit(kind.value).alias("event_type"))
        for lines, kind in ((carts, EventType.ADD_TO_CART), (purchases, EventType.PURCHASE))
    ]
    if unordered:
        parts = [part.unique(maintain_order=True) for part in parts]
    users = pl.DataFrame({"user_id": list(dict.fromkeys([*purchases.items, *carts.items]))})
    return users.join(pl.concat(parts), on="user_id", maintain_order="left_right")


def _steps(happened: pl.DataFrame, *, unordered: bool) -> pl.DataFrame:
    """With step (from 0) and length; of sets an item is a step, in the order of a hash."""
    if not unordered:
        return happened.with_columns(pl.int_range(pl.len()).over("user_id").alias("step"), pl.len().over("user_id").alias("length"))
    order = event_uuids(happened.select(pl.format("{} {}", "user_id", "item_id")).to_series()).alias("order")
    step = (pl.col("order").rank("dense").over("user_id").cast(pl.Int64) - 1).alias("step")
    return happened.with_columns(order).with_columns(step).with_columns((pl.col("step").max().over("user_id") + 1).alias("length"))


def _ended(steps: pl.DataFrame) -> pl.DataFrame:
    """With ended_before, the days between a person's last step and LAST_DAY: who ends last is drawn by a hash of the people's ids."""
    people = steps.select("user_id", "length").unique("user_id", maintain_order=True)
    if len(people) <= ENDING_LAST:
        return steps.with_columns(pl.lit(0, dtype=pl.Int64).alias("ended_before"))
    drawn = people.with_columns(event_uuids(people["user_id"]).alias("drawn")).filter(pl.col("length") > KEPT_DAYS).sort("drawn")
    is_last = pl.col("user_id").is_in(drawn["user_id"].head(ENDING_LAST).implode())
    return steps.with_columns(pl.when(is_last).then(0).otherwise(KEPT_DAYS).cast(pl.Int64).alias("ended_before"))


def _items(steps: pl.DataFrame, known: dict[str, list[str]], holdout: Holdout | None) -> pl.DataFrame:
    held_out = holdout.purchases["item_id"].to_list() if holdout else []
    ids = sorted({*steps["item_id"].to_list(), *known, *held_out})
    return _frame(
        "items",
        {
            "item_id": ids,
            "title": [f"Item {item_id}" for item_id in ids],
            "category_path": [[] for _ in ids],
            "availability": ["in_stock"] * len(ids),
            "attributes": [json.dumps(dict.fromkeys(known.get(item_id, ()), HAS)) for item_id in ids],
        },
    )


def _read_attributes(file: Path, encoding: str | None) -> dict[str, list[str]]:
    text = read_text(file, "--attributes", encoding)
    try:
        read = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_attributes(file, f"{error}") from error
    if not isinstance(read, dict):
        raise _no_attributes(file, f"it is a {type(read).__name__}")
    other = next((item_id for item_id, listed in read.items() if not isinstance(listed, list)), None)
    if other is not None:
        raise _no_attributes(file, f"{other!r} has no list")
    return {item_id.strip(): [str(attribute) for attribute in listed] for item_id, listed in read.items() if item_id.strip()}


def _no_attributes(file: Path, reason: str) -> InvalidInput:
    return InvalidInput(
        f"not a JSON object of lists ({reason})", field="--attributes", value=str(file), fix='write {"item id": ["attribute id", ...], ...}'
    )


def _users(steps: pl.DataFrame, holdout: Holdout | None) -> pl.DataFrame:
    parts = [steps["user_id"], *([holdout.purchases["user_id"]] if holdout else [])]
    ids = pl.concat(parts).unique(maintain_order=True)
    return _frame("users", {"user_id": ids, "attributes": ["{}"] * len(ids)})


def _events(steps: pl.DataFrame) -> pl.DataFrame:
    is_purchase = pl.col("event_type") == EventType.PURCHASE.value
    visits = steps.select(pl.format("{}#{}", "user_id", "step")).to_series()
    names = steps.select(pl.when(is_purchase).then(visits).otherwise(visits + "#cart")).to_series()
    back = pl.col("length").cast(pl.Int64) - 1 - pl.col("step") + pl.col("ended_before")
    carted = pl.when(is_purchase).then(timedelta(0)).otherwise(CARTED_BEFORE)
    moment = (pl.lit(LAST_DAY).dt.cast_time_unit("us") - back * timedelta(days=1) - carted).alias("occurred_at")
    return _frame(
        "events",
        steps.select(
            event_uuids(names).alias("event_id"),
            "event_type",
            pl.lit(1, dtype=pl.Int64).alias("schema_version"),
            moment,
            moment.alias("received_at"),
            "user_id",
            visits.alias("session_id"),
            "item_id",
            pl.when(is_purchase).then(1.0).alias("quantity"),
            pl.lit(True).alias("consent"),
            pl.lit(True).alias("consent_analytics"),
        ),
    )


def _frame(table: str, columns: dict[str, Any] | pl.DataFrame) -> pl.DataFrame:
    """All columns of the contract; those that are not given are empty."""
    empty = pl.DataFrame(arrow_schema(TABLES[table]).empty_table())
    return pl.concat([empty, pl.DataFrame(columns)], how="diagonal_relaxed").cast(empty.schema)


def _source(table: str, frame: pl.DataFrame, file: str, copies: int) -> TableSource:
    lenient = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[table])])

    def batches() -> Iterator[Batch]:
        for start in range(0, len(frame), BATCH_ROWS):
            part = frame.slice(start, BATCH_ROWS)
            numbers = pa.array(np.arange(start + 1, start + len(part) + 1))
            yield Batch(part.to_arrow().cast(lenient), numbers, file, copies=0 if start else copies)

    return TableSource(table, len(frame), batches)


def _fingerprint(files: SequenceFiles, max_rejected_share: float, reading: SequenceReading) -> str:
    digest = hashlib.sha256(f"sequences importer {IMPORTER_VERSION} {max_rejected_share} {reading}".encode())
    for option, file in files.given():
        digest.update(option.encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
