"""Where feature values come from: the published feature tables, and the stream job's pushes."""

from pathlib import Path

from feast import FileSource, PushSource

from endcap.core.settings import load_settings
from endcap.features.names import ITEM_FEATURES, USER_FEATURES, USER_ITEM_FEATURES
from endcap.features.store.names import SESSION_PUSH_SOURCE
from endcap.features.store.push import session_table_path

_ROOT = Path(__file__).resolve().parents[2]
"""A relative home is meant from the repository's root, as commands run there; Feast needs absolute paths."""


def features_dir() -> Path:
    """The published feature tables."""
    return (_ROOT / load_settings().features_dir).absolute()


def _file(path: Path, description: str) -> FileSource:
    return FileSource(name=path.stem, path=str(path), timestamp_field="event_timestamp", description=description)


def _table(name: str, description: str) -> FileSource:
    return _file(features_dir() / f"{name}.parquet", description)


user_features = _table(USER_FEATURES, "One row a user and snapshot.")
user_item_features = _table(USER_ITEM_FEATURES, "What each user bought, at the snapshots that ranking needs.")
item_features = _table(ITEM_FEATURES, "One row an item and snapshot.")
session_events = _file(_ROOT / session_table_path(load_settings()), "Sessions as they were pushed.")
session_events_push = PushSource(name=SESSION_PUSH_SOURCE, batch_source=session_events, description="The stream job's session features.")
