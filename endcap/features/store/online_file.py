"""The file of SQLite's online store, which requests read while the stream writes."""

import sqlite3
from pathlib import Path

from endcap.core.log import get_logger

_WAIT_SECONDS = 5.0


def let_readers_go_on(file: Path) -> None:
    """Write-ahead logging, which the file remembers: who reads does not wait for who writes.

    As Feast makes the file, each commit keeps readers out until it is on the disk: a request's features came late then. A file that cannot
    be changed is read as it is, and a line says so.
    """
    if not file.exists():
        return
    try:
        connection = sqlite3.connect(file, timeout=_WAIT_SECONDS)
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        mode = str(error)
    if mode != "wal":
        get_logger("features").warning("requests wait for who writes the online store", file=str(file), reason=mode)
