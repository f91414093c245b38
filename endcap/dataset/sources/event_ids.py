"""Event ids for events that came without one: UUIDs of version 3, so that the same event gets the same id at every import."""

from uuid import UUID

import duckdb
import polars as pl

EVENT_NAMESPACE = UUID("5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2017")

EVENT_UUID_MACRO = """
    CREATE OR REPLACE MACRO event_uuid(name) AS (
        WITH digest AS (SELECT md5(unhex('%s') || encode(name)) AS hex)
        SELECT hex[1:8] || '-' || hex[9:12] || '-3' || hex[14:16] || '-'
            || substr('89ab89ab89ab89ab', instr('0123456789abcdef', hex[17:17])::BIGINT, 1) || hex[18:20] || '-' || hex[21:32] FROM digest
    )
""".replace("%s", EVENT_NAMESPACE.hex)
"""SQL function for DuckDB; equals `uuid.uuid3(EVENT_NAMESPACE, name)`."""


def event_uuids(names: pl.Series) -> pl.Series:
    """One UUID a name (String), in the names' order."""
    with duckdb.connect() as connection:
        connection.execute(EVENT_UUID_MACRO)
        # Threads finish in any order: without the places, ids would go to other rows.
        connection.register("named", names.to_frame("name").with_row_index("place").to_arrow())
        made = connection.sql("SELECT event_uuid(name) AS event_id FROM named ORDER BY place").to_arrow_table()
    return pl.DataFrame(made)["event_id"]
