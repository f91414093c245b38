"""A dataset that goes on with what came in since: events of the log, and items that wait for a training."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from endcap.contracts.event_type import ABOUT_CONSENT, EventType
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import DataRejected
from endcap.dataset.assembly import build_dataset, canonical_sources, with_all_columns
from endcap.dataset.layout import WITH_LOG, Dataset, Origin, reusable_dataset
from endcap.dataset.sources.source import Batch, TableSource, Watch, watch_nothing
from endcap.events.log.reader import read_events
from endcap.events.stream.bots import BotRules
from endcap.events.stream.whole_log import counted_events
from endcap.training.shown_lists import lists_of_some

LOG_NAME = "event log"


@dataclass(frozen=True)
class Arrivals:
    """What a dataset does not have yet.

    Attributes:
        events: columns of the contract `Event`, each id once, of persons, in the order of arrival.
        left_out: events of the log that do not count: without an id, or a bot's.
        items: JSON objects of the contract `Item`, of ids that the dataset does not have.
        withdrawn: ids of users who do not allow personalisation any more; of them nothing is learned from, whenever it was.
    """

    events: pl.DataFrame
    left_out: int
    items: tuple[str, ...]
    withdrawn: tuple[str, ...]

    @property
    def are_none(self) -> bool:
        return self.events.is_empty() and not self.items and not self.withdrawn

    def fingerprint(self, base: Dataset) -> str:
        """Of what comes of them on top of a dataset."""
        digest = hashlib.sha256(base.fingerprint.encode())
        for part in (self.events["event_id"].sort(), self.items, self.withdrawn):
            digest.update("\x1f".join(part).encode() + b"\x1e")
        return digest.hexdigest()


def arrivals(base: Dataset, log_dir: Path, waiting: pl.DataFrame, bots: BotRules) -> Arrivals:
    """What came in since a dataset was made, by the rules of the stream; nothing is late.

    Args:
        base: the dataset.
        log_dir: folder of the event log, whose ids are kept as the dataset's are.
        waiting: columns item_id and item, as `WaitingItems.read` gives them.
        bots: limits of what a person does.

    Raises:
        DataRejected: the dataset knows no times, so that nothing can come after it.
    """
    if not base.knows_times:
        why = "its times say an order only, so no event can come after it"
        raise DataRejected(why, field=str(base.path), fix="import data with times")
    known = pl.scan_parquet(base.table("events")).select("event_id")
    # Of these a log has most, an event a place, and no model learns from them.
    log = read_events(log_dir).filter(pl.col("event_type") != EventType.SEARCH_RESULT.value)
    # Of the whole log, so that the same persons' lists are taken when it is read again.
    log, _ = lists_of_some(log)
    new = log.join(known, on="event_id", how="anti", maintain_order="left").collect()
    persons, _ = counted_events(new, None, bots)
    has = pl.read_parquet(base.table("items"), columns=["item_id"])["item_id"]
    items = waiting.filter(~pl.col("item_id").is_in(has.implode())).sort("item_id")["item"]
    return Arrivals(persons, new["event_id"].n_unique() - len(persons), tuple(items), _withdrawn(persons))


def continue_dataset(
    base: Dataset,
    arrived: Arrivals,
    target: Path,
    max_rejected_share: float,
    *,
    force: bool = False,
    watch: Watch = watch_nothing,
) -> tuple[Dataset, bool]:
    """Write the dataset with what arrived; it is put in the place of `target`, which may be its own, as a whole.

    Returns:
        The dataset, and whether it was there already.

    Raises:
        DataRejected: a table has a larger share of bad rows than allowed, or prices are in several currencies.
    """
    if arrived.are_none and target.absolute() == base.path.absolute():
        return base, True
    fingerprint = arrived.fingerprint(base)
    found = None if force else reusable_dataset(target, fingerprint)
    if found is not None:
        return found, True
    origin = Origin(base.source.removesuffix(WITH_LOG) + WITH_LOG, fingerprint)
    sources = _sources(base, arrived)
    return build_dataset(sources, target, origin, max_rejected_share, watch, person_ids=base.person_ids), False


def _sources(base: Dataset, arrived: Arrivals) -> Iterator[TableSource]:
    """The dataset's tables, each with what arrived behind it."""
    more = {"items": _items(arrived.items), "users": _users(base, arrived), "events": with_all_columns(arrived.events.to_arrow(), "events")}
    for source in canonical_sources(base):
        rows = more.get(source.table)
        yield source if rows is None else _continued(source, rows, arrived)


def _continued(source: TableSource, rows: pa.Table, arrived: Arrivals) -> TableSource:
    is_events = source.table == "events"

    def batches() -> Iterator[Batch]:
        for batch in source.batches():
            yield replace(batch, rows=_without_consent(batch.rows, arrived.withdrawn)) if is_events else batch
        later = _without_consent(rows, arrived.withdrawn) if is_events else rows
        numbers = pa.array(np.arange(1, later.num_rows + 1))
        yield Batch(later, numbers, LOG_NAME, left_out=arrived.left_out if is_events else 0)

    return replace(source, rows=(source.rows or 0) + rows.num_rows, batches=batches)


def _without_consent(rows: pa.Table, withdrawn: tuple[str, ...]) -> pa.Table:
    if not withdrawn:
        return rows
    frame = pl.DataFrame(rows)
    allows = pl.col("consent") & ~pl.col("user_id").is_in(list(withdrawn)).fill_null(False)
    return frame.with_columns(allows.alias("consent")).to_arrow().cast(rows.schema)


def _withdrawn(events: pl.DataFrame) -> tuple[str, ...]:
    """Who said last that they do not allow personalisation."""
    said = events.filter(pl.col("event_type").is_in([kind.value for kind in ABOUT_CONSENT]), pl.col("user_id").is_not_null())
    last = said.sort("occurred_at", maintain_order=True).unique("user_id", keep="last")
    return tuple(last.filter(~pl.col("consent"))["user_id"].sort())


def _items(items: tuple[str, ...]) -> pa.Table:
    """Rows of the table `items`.

    Raises:
        DataRejected: one does not fit the contract.
    """
    try:
        whole = [Item.model_validate_json(text) for text in items]
    except ValidationError as error:
        fix = "send the item again, or remove waiting_items.parquet from the live folder"
        raise DataRejected(f"an item that waits does not fit the contract: {error}", field="waiting items", fix=fix) from error
    rows = [each.model_dump(mode="python") | {"attributes": json.dumps(each.attributes, sort_keys=True)} for each in whole]
    return with_all_columns(pa.Table.from_pylist(rows, schema=arrow_schema(Item)), "items")


def _users(base: Dataset, arrived: Arrivals) -> pa.Table | None:
    """Rows of people whom the table `users` does not have yet; None where there is no such table."""
    if not base.has("users"):
        return None
    has = pl.Series(pq.read_table(base.table("users"), columns=["user_id"])["user_id"])
    new = arrived.events["user_id"].drop_nulls().unique().sort()
    users = pl.DataFrame({"user_id": new.filter(~new.is_in(has.implode()))}).with_columns(attributes=pl.lit("{}"))
    return with_all_columns(users.to_arrow(), "users")
