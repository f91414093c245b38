"""Rows of several views out of an online store at once.

Feast is the definition: `OnlineStore.online_read`, which every store implements, reads one view of one kind of entity a call. A request
needs five. On Redis that is five round trips where one does, and on SQLite most of the time goes into a `datetime` for each feature.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from endcap.core.log import get_logger

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView
    from feast.infra.online_stores.online_store import OnlineStore

ViewRow = tuple[datetime | None, Mapping[str, Any]]
"""The moment a row is of, UTC, and feast.types.Value by feature; None and nothing where the store has no row."""
Stored = tuple[str, bytes, int]
"""Feature, value and epoch second."""
NO_ROW: ViewRow = (None, {})


@dataclass(frozen=True)
class ViewsOf:
    """Views of some entities.

    Attributes:
        views: each with the names of the features to read.
        keys: feast.types.EntityKey, distinct.
    """

    views: Sequence[tuple["FeatureView", Sequence[str]]]
    keys: Sequence[Any]


class ViewRows(Protocol):
    """Reads rows."""

    def read(self, asked: Sequence[ViewsOf]) -> list[list[list[ViewRow]]]:
        """By what was asked, view and entity."""


def view_rows(store: "FeatureStore", online: "OnlineStore") -> ViewRows:
    """The shortest way into a store.

    Args:
        store: the feature store.
        online: its online store, as the calling thread sees it.
    """
    kinds: dict[str, Callable[[FeatureStore, Any], ViewRows]] = {"SqliteOnlineStore": SqliteRows, "RedisOnlineStore": RedisRows}
    short = kinds.get(type(online).__name__)
    if short is not None:
        try:
            return short(store, online)
        except (AttributeError, ImportError) as error:  # a Feast without these internals
            get_logger("features").warning("features are read the long way", cause=f"{type(error).__name__}: {error}")
    return FeastRows(store, online)


class FeastRows:
    """By Feast's own calls.

    Args:
        store: the feature store.
        online: its online store, as the calling thread sees it.
    """

    def __init__(self, store: "FeatureStore", online: "OnlineStore") -> None:
        self._store = store
        self._online = online

    def read(self, asked: Sequence[ViewsOf]) -> list[list[list[ViewRow]]]:
        """By what was asked, view and entity."""
        # A copy of the names: the Redis store adds to the list that it is given.
        return [
            [
                [(moment, values or {}) for moment, values in self._online.online_read(self._store.config, view, list(each.keys), [*names])]
                for view, names in each.views
            ]
            for each in asked
        ]


class SqliteRows:
    """One statement for each kind of entity, and one moment a row.

    Args:
        store: the feature store.
        online: Feast's SQLite store; its connection is used.

    Raises:
        AttributeError: this Feast's store has other internals.
    """

    def __init__(self, store: "FeatureStore", online: Any) -> None:
        from feast.infra.key_encoding_utils import serialize_entity_key
        from feast.infra.online_stores.sqlite import _quote_id, _table_id
        from feast.protos.feast.types.Value_pb2 import Value

        config = store.config
        versioned, version = config.registry.enable_online_feature_view_versioning, config.entity_key_serialization_version
        self._connection: Callable[[], Any] = lambda: online._get_conn(config)
        self._connection()
        self._key: Callable[[Any], bytes] = lambda key: serialize_entity_key(key, entity_key_serialization_version=version)
        self._table: Callable[[Any], str] = lambda view: _quote_id(_table_id(config.project, view, versioned))
        self._value: Callable[[bytes], Any] = Value.FromString

    def read(self, asked: Sequence[ViewsOf]) -> list[list[list[ViewRow]]]:
        """By what was asked, view and entity."""
        return [self._of(each) if each.keys else [[] for _ in each.views] for each in asked]

    def _of(self, asked: ViewsOf) -> list[list[ViewRow]]:
        keys = [self._key(key) for key in asked.keys]
        marks = ",".join("?" * len(keys))
        # Cast, so that sqlite3 makes no datetime of each feature's moment.
        columns = "entity_key, feature_name, value, CAST(event_ts AS INTEGER)"
        selects = (
            f"SELECT {number}, {columns} FROM {self._table(view)} WHERE entity_key IN ({marks})"  # noqa: S608 - Feast's names, quoted
            for number, (view, _) in enumerate(asked.views)
        )
        found: list[dict[bytes, list[Stored]]] = [{} for _ in asked.views]
        for number, key, *stored in self._connection().execute(" UNION ALL ".join(selects), keys * len(asked.views)).fetchall():
            found[number].setdefault(key, []).append(tuple(stored))
        return [
            [self._row(names, stored[key]) if key in stored else NO_ROW for key in keys]
            for (_, names), stored in zip(asked.views, found, strict=True)
        ]

    def _row(self, names: Sequence[str], stored: Sequence[Stored]) -> ViewRow:
        wanted = set(names)
        # As Feast has it: written as if UTC were this machine's time, and read back so.
        moment = datetime.fromtimestamp(stored[-1][2]).replace(tzinfo=UTC)  # noqa: DTZ006
        return moment, {name: self._value(value) for name, value, _ in stored if name in wanted}


class RedisRows:
    """One round trip for all.

    Args:
        store: the feature store.
        online: Feast's Redis store; its client is used.

    Raises:
        AttributeError: this Feast's store has other internals.
    """

    def __init__(self, store: "FeatureStore", online: Any) -> None:
        from feast.infra.online_stores.helpers import _mmh3
        from feast.infra.online_stores.redis import _versioned_fv_name
        from feast.protos.feast.types.Value_pb2 import Value
        from google.protobuf.timestamp_pb2 import Timestamp

        config = store.config
        self._fields: dict[tuple[str, ...], list[str | bytes]] = {}
        self._keys: Callable[[Sequence[Any]], list[bytes]] = lambda keys: online._generate_redis_keys_for_entities(config, keys)
        read: Callable[[Any, Any], list[list[bytes | None]]] = online._read_hash_fields
        self._fetch: Callable[[Any], list[list[bytes | None]]] = lambda commands: read(config, commands)
        self._keys([])
        self._name: Callable[[Any], str] = lambda view: _versioned_fv_name(view, config)
        self._hashed: Callable[[str], bytes] = _mmh3
        self._value, self._moment = Value.FromString, Timestamp.FromString
        # Of who has not logged in Redis says so in answer to a short command only; over long ones it closes the connection.
        self._fetch([(b"endcap", ["log-in"])])

    def read(self, asked: Sequence[ViewsOf]) -> list[list[list[ViewRow]]]:
        """By what was asked, view and entity."""
        commands = [(key, self._of(view, names)) for each in asked for view, names in each.views for key in self._keys(each.keys)]
        replies = iter(self._fetch(commands) if commands else [])
        return [[[self._row(names, reply) for reply in _next(replies, len(each.keys))] for _, names in each.views] for each in asked]

    def _of(self, view: "FeatureView", names: Sequence[str]) -> list[str | bytes]:
        """The fields of a view's features, and last the one of its moment."""
        name = self._name(view)
        known = (name, *names)
        if known not in self._fields:
            self._fields[known] = [*(self._hashed(f"{name}:{feature}") for feature in names), f"_ts:{name}"]
        return self._fields[known]

    def _row(self, names: Sequence[str], reply: Sequence[bytes | None]) -> ViewRow:
        *values, at = reply
        known = {name: self._value(value) for name, value in zip(names, values, strict=True) if value}
        if not known:
            return NO_ROW
        moment = self._moment(at or b"")
        return datetime.fromtimestamp(moment.seconds + moment.nanos / 1e9, tz=UTC), known


def _next(replies: Iterator[Sequence[bytes | None]], count: int) -> list[Sequence[bytes | None]]:
    return [next(replies) for _ in range(count)]
