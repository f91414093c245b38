"""All of what is written to SQLite, or nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def transaction(sql: sqlite3.Connection) -> Iterator[None]:
    """What is written within the block is there when it ends well, and gone when it raises.

    Args:
        sql: opened with `isolation_level=None`, so that nothing else begins transactions.
    """
    sql.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        sql.execute("ROLLBACK")
        raise
    sql.execute("COMMIT")
