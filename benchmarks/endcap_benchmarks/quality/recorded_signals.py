"""What the harness reads of a canonical dataset where more than purchases count: typed events of people and of visits."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.contracts.signals import SIGNAL_TYPES, event_type_of, signal_code
from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.layout import Dataset, open_dataset

SIGNAL_NAMES = {"purchases": "purchase", "carts": "add_to_cart", "views": "product_view"}
"""Event types by the names that `--signals` takes."""


@dataclass(frozen=True)
class RecordedSignals:
    """What people and visits did, and the catalogue.

    Attributes:
        dataset: as it stands on disk.
        items: the canonical items, sorted by item_id.
        signals: as of `read_signals`.
    """

    dataset: Dataset
    items: pl.DataFrame
    signals: pl.DataFrame


def read_recorded_signals(folder: Path) -> RecordedSignals:
    """Read a canonical dataset.

    Raises:
        DataRejected: there is no dataset, or nobody did anything in it.
    """
    dataset = open_dataset(folder)
    return RecordedSignals(dataset, pl.read_parquet(dataset.table("items")).sort("item_id"), read_signals(dataset))


def signal_codes(names: Collection[str]) -> list[int]:
    """The codes of signals by the names of `--signals`; all of them where none is named.

    Raises:
        InvalidInput: there is no such name.
    """
    unknown = [name for name in names if name not in SIGNAL_NAMES]
    if unknown:
        raise InvalidInput("no such signal", field="--signals", value=",".join(names), fix=f"name some of {','.join(SIGNAL_NAMES)}")
    return sorted(signal_code(SIGNAL_NAMES[name]) for name in names or SIGNAL_NAMES)


def signal_name(code: int) -> str:
    """The name of a code, for example `carts`; that of the event type where `--signals` has none."""
    event_type = event_type_of(code)
    return next((name for name, of in SIGNAL_NAMES.items() if of == event_type), event_type)


def read_signals(dataset: Dataset) -> pl.DataFrame:
    """Events that are signals, of people who consented, with items of the catalogue.

    Returns:
        Columns user_id (null where nobody is known), session_id, item_id, at (UTC), unit_price and signal (UInt8, the code), oldest first;
        rows of the same moment stay in the dataset's order.

    Raises:
        DataRejected: there are none.
    """
    codes = {kind.value: signal_code(kind) for kind in SIGNAL_TYPES}
    events = pl.scan_parquet(dataset.table("events")).filter(pl.col("consent"), pl.col("event_type").is_in(list(codes)))
    items = pl.scan_parquet(dataset.table("items")).select("item_id")
    signal = pl.col("event_type").replace_strict(codes, return_dtype=pl.UInt8).alias("signal")
    found = (
        events.select("user_id", "session_id", "item_id", pl.col("occurred_at").alias("at"), "unit_price", signal)
        .join(items, on="item_id", how="semi", maintain_order="left")
        .collect()
        .sort("at", maintain_order=True)
    )
    if found.is_empty():
        raise DataRejected("no views, cart additions, purchases or ratings with consent", field=str(dataset.path), fix="import such events")
    return found
