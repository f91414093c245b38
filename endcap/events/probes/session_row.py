"""The row that a probe has among those of visits, under an id that no visit has."""

from datetime import datetime

import polars as pl

from endcap.contracts.probe import ONLINE_ID, PROBE
from endcap.events.stream.columns import micros
from endcap.events.stream.sessions import Sessions


def session_row(made_at: datetime) -> pl.DataFrame:
    """One row of `Sessions.row_schema`; in the place of an item it has the probe's moment in microseconds since 1970, as text.

    The times of visits are whole seconds, and are moved where a bundle answers as of an earlier moment.

    Args:
        made_at: when the probe was made, UTC.
    """
    row = {
        "session_id": ONLINE_ID,
        "last_at": made_at,
        "session_item_ids": [str(micros(made_at))],
        "session_event_types": [PROBE],
        "session_occurred_at": [int(made_at.timestamp())],
        "session_cart_item_ids": [],
        "session_queries": [],
        "session_dwell_ms": 0,
    }
    return pl.DataFrame([row], schema=Sessions.row_schema)
