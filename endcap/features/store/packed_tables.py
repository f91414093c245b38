"""Tables behind the packed views, which stay empty: Feast asks for a view's table, and packed rows only ever go online."""

from pathlib import Path

import pyarrow as pa

from endcap.contracts.tables import UTC_TIMESTAMP
from endcap.core.files import replacing_file
from endcap.core.settings import Settings
from endcap.features.store.packed_views import PACKED, PACKED_VIEWS, PackedView


def packed_table_path(settings: Settings, view: PackedView) -> Path:
    """Where Feast looks for a view's rows offline."""
    return settings.feast_dir / f"{view.name}.parquet"


def ensure_packed_tables(settings: Settings) -> None:
    """Write an empty table for each view that has none."""
    import pyarrow.parquet as pq

    for view in PACKED_VIEWS:
        path = packed_table_path(settings, view)
        if not path.exists():
            schema = pa.schema([(view.join_key, pa.string()), ("event_timestamp", UTC_TIMESTAMP), (PACKED, pa.binary())])
            with replacing_file(path) as aside:
                pq.write_table(schema.empty_table(), aside)
