"""MLflow's SQLite database as its migrations leave it: they take a second or two, and every test with a store of its own would run them."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def migrated_once(kept: Path) -> Iterator[None]:
    """While it lasts, MLflow of this process fills a new SQLite database with a copy of a migrated one.

    Args:
        kept: folder for the migrated one; later sessions find it there.
    """
    from mlflow import __version__
    from mlflow.store.db import utils
    from sqlalchemy import inspect

    migrate, migrated = utils._upgrade_db, kept / f"mlflow-{__version__}.db"
    with (kept / "mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not migrated.exists():
            _make(migrated)

    def copy(engine: Any) -> None:
        if engine.dialect.name != "sqlite" or inspect(engine).has_table("alembic_version"):
            migrate(engine)
            return
        with closing(sqlite3.connect(migrated)) as source, closing(engine.raw_connection()) as target:
            source.backup(target.driver_connection)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "_upgrade_db", copy)
        yield


def _make(migrated: Path) -> None:
    from mlflow.store.db.utils import _initialize_tables
    from sqlalchemy import create_engine

    aside = migrated.with_suffix(".aside")
    aside.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{aside}")
    _initialize_tables(engine)
    engine.dispose()
    aside.replace(migrated)
