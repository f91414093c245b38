"""The batch features of a few events, of the columns that a person's state is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ibis
import polars as pl
import pyarrow as pa

from endcap.contracts.item import Item
from endcap.contracts.tables import Promotion, arrow_schema
from endcap.features.columns import USER_AFFINITY, USER_CATEGORICAL, USER_NUMERIC
from endcap.features.history import item_touches, user_history
from endcap.features.net_purchases import taken_off
from endcap.features.purchases import purchase_lines, purchase_occasions
from endcap.features.signals import signal_events
from endcap.features.user_item import user_item
from endcap.features.user_item_signals import cart_and_view_events, user_item_signals

Row = dict[str, Any]

BLANK: Row = {**dict.fromkeys(USER_NUMERIC, 0.0), **dict.fromkeys(USER_CATEGORICAL, ""), **{name: [] for name in USER_AFFINITY}}
"""What a row has beside."""


def batch_rows(events: pl.DataFrame, moments: Sequence[datetime], low_rating: float | None) -> dict[tuple[str, datetime], Row]:
    """Rows as requests read them, by user and moment; numbers and attributes are blank.

    Args:
        events: columns of the contract `Event`.
        moments: snapshots, whole seconds.
        low_rating: ratings up to this count against an item.
    """
    connection = ibis.duckdb.connect()

    def load(name: str, table: pa.Table) -> ibis.Table:
        connection.con.register(name, table)
        return connection.table(name)

    table = load("events", events.to_arrow())
    versions = load("versions", taken_off(table).versions)
    items, promotions = (load(one.__name__.lower(), arrow_schema(one).empty_table()) for one in (Item, Promotion))
    lines = load("lines", connection.to_pyarrow(purchase_lines(table, items, promotions, versions)))
    snapshots = load("snapshots", pa.table({"t": [int(moment.timestamp()) for moment in moments]}))
    parts = (
        user_history(item_touches(table, lines, low_rating), snapshots),
        user_item(purchase_occasions(lines), snapshots),
        user_item_signals(cart_and_view_events(signal_events(table), lines), snapshots, low_rating),
    )
    of_second = {int(moment.timestamp()): moment for moment in moments}
    rows: dict[tuple[str, datetime], Row] = {}
    for part in parts:
        for found in connection.to_pyarrow(part).to_pylist():
            moment = of_second[found.pop("t")]
            rows.setdefault((found.pop("user_id"), moment), BLANK | {"event_timestamp": moment}).update(found)
    return rows
