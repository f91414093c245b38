"""Where feature values come from: the published feature tables, and the stream job's pushes."""

from pathlib import Path

from feast import FileSource, PushSource

from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings, load_settings
from endcap.features.names import ITEM_FEATURES, USER_FEATURES, USER_ITEM_FEATURES
from endcap.features.store.names import RECENT_PUSH_SOURCE, SESSION_PUSH_SOURCE
from endcap.features.store.packed_tables import packed_table_path
from endcap.features.store.packed_views import PACKED_VIEWS
from endcap.features.store.push import session_table_path
from endcap.features.store.recent_items import recent_table_path

_FOLDER = Path(__file__).resolve().parent


def _absolute_home() -> Settings:
    """The settings with a home as Feast needs it. A relative one is meant from a checkout's root, as commands run there.

    Raises:
        InvalidInput: the home is relative, and Feast has left the folder that it is meant from.
    """
    settings = load_settings()
    is_checkout = (_FOLDER.parent / "pyproject.toml").is_file()
    if not (is_checkout or settings.home.is_absolute()) and Path.cwd() == _FOLDER:
        fix = "set it to the absolute path of the home, as Feast changes into its repository's folder"
        raise InvalidInput("is relative", field="ENDCAP_HOME", value=str(settings.home), fix=fix)
    root = _FOLDER.parents[1] if is_checkout else Path.cwd()
    return settings.model_copy(update={"home": root / settings.home})


SETTINGS = _absolute_home()


def _file(path: Path, description: str) -> FileSource:
    return FileSource(name=path.stem, path=str(path), timestamp_field="event_timestamp", description=description)


def _table(name: str, description: str) -> FileSource:
    return _file(SETTINGS.features_dir / f"{name}.parquet", description)


user_features = _table(USER_FEATURES, "One row a user and snapshot.")
user_item_features = _table(USER_ITEM_FEATURES, "What each user bought, at the snapshots that ranking needs.")
item_features = _table(ITEM_FEATURES, "One row an item and snapshot.")
session_events = _file(session_table_path(SETTINGS), "Sessions as they were pushed.")
session_events_push = PushSource(name=SESSION_PUSH_SOURCE, batch_source=session_events, description="The stream job's session features.")
recent_items = _file(recent_table_path(SETTINGS), "Recent items as they were pushed.")
recent_items_push = PushSource(name=RECENT_PUSH_SOURCE, batch_source=recent_items, description="The stream job's recent items of people.")
packed_rows = {view.name: _file(packed_table_path(SETTINGS, view), "Packed rows go online only.") for view in PACKED_VIEWS}
"""By packed view."""
