"""Sequences without times as a canonical dataset: what each person bought, in order; the form in which research publishes its data.

A line of the interactions file is a user: the user's id, then item ids, oldest first; `endcap.dataset.sources.sequence_lines` reads it. The
attributes file, if any, is a JSON object: item id -> list of attribute ids. The dataset's times carry the order and nothing else: a day a
step, and everybody's last purchase on LAST_DAY. Quantities are 1, and there are no prices.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from endcap.contracts.event import EventType
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.errors import InvalidInput
from endcap.dataset.layout import Dataset, Origin, reusable_dataset
from endcap.dataset.sources.event_ids import event_uuids
from endcap.dataset.sources.sequence_lines import Separator, UserLines, read_text, read_user_lines
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch, watch_nothing

IMPORTER_VERSION = 3
"""Raised whenever the same files would give another dataset."""

SOURCE = "sequences: order only, a day a step"
"""`source` of such a dataset: whoever needs real times looks for it."""

LAST_DAY = datetime(2000, 12, 31, tzinfo=UTC)
HAS = "yes"
"""Value of every attribute: the ids are names of what an item has."""


@dataclass(frozen=True)
class SequenceReading:
    """How the files are written; `encoding` None and `separator` AUTO are seen from the files themselves."""

    encoding: str | None = None
    separator: Separator = Separator.AUTO


def import_sequences(
    interactions: Path,
    attributes: Path | None,
    target: Path,
    max_rejected_share: float,
    *,
    reading: SequenceReading | None = None,
    force: bool = False,
    watch: Watch = watch_nothing,
) -> tuple[Dataset, bool]:
    """Make the canonical dataset at `target` from sequences, or reuse it when the same files made it.

    Args:
        interactions: text file, a user a line.
        attributes: JSON file; None where nothing is known of items.
        target: folder of the dataset.
        max_rejected_share: a table with a larger share of bad rows is refused.
        reading: encoding and separator, where they cannot be seen.
        force: make it even when it is there.
        watch: told of each batch.

    Returns: the dataset, and whether it was there already.

    Raises:
        InvalidInput: a file is missing or not what its name says.
        DataRejected: a line has a user and no items, or a table has too many bad rows.
    """
    for field, file in (("--interactions", interactions), ("--attributes", attributes)):
        if file is not None and not file.is_file():
            raise InvalidInput("the file is missing", field=field, value=str(file))
    reading = reading or SequenceReading()
    origin = Origin(SOURCE, _fingerprint(interactions, attributes, max_rejected_share, reading))
    earlier = None if force else reusable_dataset(target, origin.fingerprint)
    if earlier:
        return earlier, True
    from endcap.dataset.assembly import build_dataset

    lines = read_user_lines(interactions, reading.encoding, reading.separator)
    known = _read_attributes(attributes, reading.encoding) if attributes else {}
    steps = _steps(lines)
    tables = {"items": _items(steps, known), "users": _users(steps), "events": _events(steps)}
    copies = {"events": lines.copies}
    sources = [_source(table, frame, interactions.name, copies.get(table, 0)) for table, frame in tables.items()]
    return build_dataset(sources, target, origin, max_rejected_share, watch), False


def _steps(lines: UserLines) -> pl.DataFrame:
    """Columns user_id, item_id, step (from 0), length; a row an interaction."""
    whole = pl.DataFrame({"user_id": list(lines.items), "item_id": list(lines.items.values())})
    return whole.with_columns(
        pl.col("item_id").list.len().alias("length"), pl.int_ranges(pl.col("item_id").list.len()).alias("step")
    ).explode("item_id", "step")


def _items(steps: pl.DataFrame, known: dict[str, list[str]]) -> pl.DataFrame:
    ids = sorted(set(steps["item_id"].to_list()) | set(known))
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


def _users(steps: pl.DataFrame) -> pl.DataFrame:
    ids = steps["user_id"].unique(maintain_order=True)
    return _frame("users", {"user_id": ids, "attributes": ["{}"] * len(ids)})


def _events(steps: pl.DataFrame) -> pl.DataFrame:
    names = steps.select(pl.format("{}#{}", "user_id", "step")).to_series()
    back = pl.col("length").cast(pl.Int64) - 1 - pl.col("step")
    moment = (pl.lit(LAST_DAY).dt.cast_time_unit("us") - back * timedelta(days=1)).alias("occurred_at")
    return _frame(
        "events",
        steps.select(
            event_uuids(names).alias("event_id"),
            pl.lit(EventType.PURCHASE.value).alias("event_type"),
            pl.lit(1, dtype=pl.Int64).alias("schema_version"),
            moment,
            moment.alias("received_at"),
            "user_id",
            names.alias("session_id"),
            "item_id",
            pl.lit(1.0).alias("quantity"),
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


def _fingerprint(interactions: Path, attributes: Path | None, max_rejected_share: float, reading: SequenceReading) -> str:
    digest = hashlib.sha256(f"sequences importer {IMPORTER_VERSION} {max_rejected_share} {reading}".encode())
    for file in (interactions, attributes):
        digest.update(b"none" if file is None else hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
