"""Where feature values come from: the published feature tables, and the stream job's pushes."""

from pathlib import Path

from feast import FileSource, PushSource

from endcap.feature_store.names import SESSION_PUSH_SOURCE, SESSION_TABLE
from endcap.features.names import ITEM_FEATURES, USER_FEATURES, USER_ITEM_FEATURES
from endcap.settings import load_settings


def features_dir() -> Path:
    """The published tables' folder; Feast needs it absolute. A relative home is meant from the repository's root, as commands run there."""
    return (Path(__file__).resolve().parent.parent / load_settings().features_dir).absolute()


def _table(name: str, description: str) -> FileSource:
    return FileSource(name=name, path=str(features_dir() / f"{name}.parquet"), timestamp_field="event_timestamp", description=description)


user_features = _table(USER_FEATURES, "One row a user and snapshot.")
user_item_features = _table(USER_ITEM_FEATURES, "What each user bought, at the snapshots that ranking needs.")
item_features = _table(ITEM_FEATURES, "One row an item and snapshot.")
session_events = _table(SESSION_TABLE, "Sessions as they were pushed.")
session_events_push = PushSource(name=SESSION_PUSH_SOURCE, batch_source=session_events, description="The stream job's session features.")
