"""Session features from the stream into the online store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from endcap.contracts.tables import UTC_TIMESTAMP
from endcap.core.errors import DependencyUnavailable
from endcap.core.files import replacing_file
from endcap.core.settings import Settings
from endcap.features.store.names import SESSION_COLUMNS, SESSION_PUSH_SOURCE, SESSION_TABLE
from endcap.features.store.packed_rows import PackedRows
from endcap.features.store.packed_views import SESSION_PACKED
from endcap.features.store.quick_import import quiet_feast

if TYPE_CHECKING:
    from feast import FeatureStore

SESSION_SCHEMA = pa.schema(
    [
        ("session_id", pa.string()),
        ("event_timestamp", UTC_TIMESTAMP),
        ("session_item_ids", pa.list_(pa.string())),
        ("session_event_types", pa.list_(pa.string())),
        ("session_occurred_at", pa.list_(pa.int64())),
        ("session_cart_item_ids", pa.list_(pa.string())),
        ("session_queries", pa.list_(pa.string())),
        ("session_dwell_ms", pa.int64()),
    ]
)
"""The table behind the session view."""


def session_table_path(settings: Settings) -> Path:
    """Where sessions are kept offline: apart from the feature tables, which are replaced as a whole."""
    return settings.feast_dir / f"{SESSION_TABLE}.parquet"


def ensure_session_table(settings: Settings) -> None:
    """Write an empty table if there is none of these columns: Feast asks for the table behind a push source even when sessions only ever
    go online."""
    import pyarrow.parquet as pq

    path = session_table_path(settings)
    if not (path.exists() and pq.read_schema(path).equals(SESSION_SCHEMA)):
        with replacing_file(path) as aside:
            pq.write_table(SESSION_SCHEMA.empty_table(), aside)


@dataclass(frozen=True)
class SessionSignals:
    """What happened in one session so far: three lists of equal length, newest last; times in UTC epoch seconds."""

    session_id: str
    item_ids: Sequence[str]
    event_types: Sequence[str]
    occurred_at: Sequence[int]


def push_sessions(store: "FeatureStore", sessions: Sequence[SessionSignals]) -> None:
    """Replace the online features of sessions whose cart, queries and dwell are not known.

    Raises:
        ValueError: a session's lists differ in length or are empty.
        DependencyUnavailable: the online store does not take them.
    """
    for session in sessions:
        if not len(session.item_ids) == len(session.event_types) == len(session.occurred_at) > 0:
            raise ValueError(f"session {session.session_id}: item_ids, event_types and occurred_at need the same length, at least 1")
    columns: dict[str, list[Any]] = {
        "session_id": [session.session_id for session in sessions],
        "event_timestamp": [datetime.fromtimestamp(max(session.occurred_at), UTC) for session in sessions],
        "session_item_ids": [list(session.item_ids) for session in sessions],
        "session_event_types": [list(session.event_types) for session in sessions],
        "session_occurred_at": [list(session.occurred_at) for session in sessions],
        "session_cart_item_ids": [[] for _ in sessions],
        "session_queries": [[] for _ in sessions],
        "session_dwell_ms": [0] * len(sessions),
    }
    import pandas as pd
    from feast.data_source import PushMode

    try:
        with quiet_feast():
            store.push(SESSION_PUSH_SOURCE, pd.DataFrame(columns), to=PushMode.ONLINE)
    except Exception as error:
        raise DependencyUnavailable(f"sessions cannot be written: {error}", field="online store", fix="run: endcap features") from error
    packed = PackedRows(store, SESSION_PACKED)
    for place, (session_id, moment) in enumerate(zip(columns["session_id"], columns["event_timestamp"], strict=True)):
        packed.write([session_id], [{name: columns[name][place] for name in SESSION_COLUMNS}], moment)
