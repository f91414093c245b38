"""Batch features into the online store a second time, packed: one row a user and feature table."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.packed_views import PACKED, PackedView

if TYPE_CHECKING:
    from feast import FeatureStore

ROWS_A_WRITE = 1_000
"""Rows packed and written at once: bounds memory when rows carry long lists."""


def write_packed(store: "FeatureStore", table: Path, view: PackedView, snapshot: datetime) -> None:
    """Pack the rows of a snapshot and write them, each with the snapshot as its moment.

    Args:
        store: the feature store.
        table: Parquet with `user_id`, `event_timestamp` and the view's columns.
        view: whose rows they become.
        snapshot: UTC.

    Raises:
        DependencyUnavailable: the store does not take them, or lacks the view.
    """
    import pyarrow.dataset as ds

    rows = OnlineRows(store, view.name)
    columns = ["user_id", *view.layout.names]
    of_snapshot = ds.field("event_timestamp") == pa.scalar(snapshot, pa.timestamp("us", "UTC"))
    for batch in ds.dataset(table).to_batches(columns=columns, filter=of_snapshot, batch_size=ROWS_A_WRITE):
        packed = [{PACKED: view.layout.pack(row)} for row in _rows(batch, view)]
        if packed:
            rows.write(batch["user_id"].to_pylist(), packed, snapshot)


def _rows(batch: pa.RecordBatch, view: PackedView) -> Iterator[dict[str, Any]]:
    """Each row's values by column: lists of quantities as arrays, without an object for each entry."""
    layout = view.layout
    plain = {name: batch[name].to_pylist() for name in (*layout.numbers, *layout.integers, *layout.texts, *layout.text_lists)}
    lists = {name: batch[name] for name in (*layout.number_lists, *layout.integer_lists)}
    for place in range(len(batch)):
        row = {name: values[place] for name, values in plain.items()}
        for name, values in lists.items():
            entries = values[place].values
            row[name] = None if entries is None else entries.to_numpy(zero_copy_only=False)
        yield row
