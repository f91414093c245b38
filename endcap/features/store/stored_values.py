"""Values of an entity as the online store has them, by one statement or command: past what Feast's reads do view by view.

Feast stays the definition: the views, the keys' and values' bytes and the connections are its own. A view at a time, Feast's SQLite store
reads all features of the view, and its Redis store goes to Redis once a view.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from sqlite3 import Connection, OperationalError
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from endcap.features.store.feast_store import entity_key

if TYPE_CHECKING:
    from feast import FeatureView, RepoConfig
    from feast.infra.online_stores.online_store import OnlineStore


class StoredColumn(NamedTuple):
    """A feature of a view; or, of a view of columns, only the moment at which its row was written."""

    view: "FeatureView"
    feature: str
    is_read: bool


class Stored(NamedTuple):
    """What the store has: a feature's bytes, None where it has none, and the row's moment, UTC, None where there is no row."""

    content: bytes | None
    moment: datetime | None


NOTHING = Stored(None, None)

Columns = Mapping[str, Sequence[StoredColumn]]
"""By join key."""
EntityId = tuple[str, str]
"""Join key and id."""


class ViewsGone(Exception):
    """The store has a view no more: features were applied by a version that does not have it."""


class StoredValues(Protocol):
    """Reads columns of entities."""

    def read(self, online: "OnlineStore", entities: Sequence[EntityId]) -> list[list[Stored]]:
        """What the store has, by entity in the order of its join key's columns.

        Args:
            online: Feast's store, as the calling thread has it.
            entities: join key and id of each.

        Raises:
            ViewsGone: the views are to be resolved anew.
        """


def stored_values(config: "RepoConfig", columns: Columns) -> StoredValues:
    """The cheapest way that the configured store has."""
    kinds: dict[str, type[SqliteValues | RedisValues]] = {"sqlite": SqliteValues, "redis": RedisValues}
    return kinds.get(config.online_store.type, FeastValues)(config, columns)


class FeastValues:
    """By Feast's own reads, whatever the store: one a column, of all entities of a join key."""

    def __init__(self, config: "RepoConfig", columns: Columns) -> None:
        self._config, self._columns = config, columns

    def read(self, online: "OnlineStore", entities: Sequence[EntityId]) -> list[list[Stored]]:
        """See `StoredValues`."""
        rows: dict[EntityId, list[Stored]] = {}
        for join_key, columns in self._columns.items():
            asked = [entity for entity in entities if entity[0] == join_key]
            keys = [entity_key(*entity) for entity in asked]
            by_column = [self._read(online, keys, column) for column in columns] if keys else []
            rows |= {entity: [stored[place] for stored in by_column] for place, entity in enumerate(asked)}
        return [rows[entity] for entity in entities]

    def _read(self, online: "OnlineStore", keys: list[Any], column: StoredColumn) -> list[Stored]:
        """A column of entities."""
        return [self._stored(column, *row) for row in online.online_read(self._config, column.view, keys, [column.feature])]

    def _stored(self, column: StoredColumn, moment: datetime | None, found: Mapping[str, Any] | None) -> Stored:
        # Of what it does not have, the Redis store gives empty values and the moment 1970.
        if moment is None or moment.timestamp() == 0:
            return NOTHING
        value = (found or {}).get(column.feature) if column.is_read else None
        return Stored(value.bytes_val if value is not None and value.HasField("bytes_val") else None, moment)


class SqliteValues:
    """By one SELECT an entity, each value by its place in the primary key."""

    def __init__(self, config: "RepoConfig", columns: Columns) -> None:
        self._config, self._keys = config, EntityKeys(config, columns)
        self._statements = {join_key: " UNION ALL ".join(self._terms(each)) for join_key, each in columns.items()}
        self._counts = {join_key: len(each) for join_key, each in columns.items()}

    def _terms(self, columns: Sequence[StoredColumn]) -> Iterator[str]:
        """A SELECT a column: its place, value and moment."""
        from feast.infra.online_stores.sqlite import _quote_id, _table_id

        versioned = self._config.registry.enable_online_feature_view_versioning
        # A cast has no declared type, so that Feast's converters leave the moment alone.
        moment = "CAST(event_ts AS INTEGER)"
        for place, (view, feature, is_read) in enumerate(columns):
            table = f"{_quote_id(_table_id(self._config.project, view, versioned))} WHERE entity_key = ?1"
            if is_read:
                yield f"SELECT {place}, value, {moment} FROM {table} AND feature_name = '{feature}'"  # noqa: S608 - names of ours
            else:
                # All features of a row have one moment.
                yield f"SELECT {place}, NULL, moment FROM (SELECT {moment} AS moment FROM {table} LIMIT 1)"  # noqa: S608 - names of ours

    def read(self, online: Any, entities: Sequence[EntityId]) -> list[list[Stored]]:
        """See `StoredValues`."""
        connection = online._get_conn(self._config)
        try:
            return [self._row(connection, entity) for entity in entities]
        except OperationalError as error:
            if "no such table" in str(error):
                raise ViewsGone(str(error)) from error
            raise

    def _row(self, connection: Connection, entity: EntityId) -> list[Stored]:
        row = [NOTHING] * self._counts[entity[0]]
        for place, value, seconds in connection.execute(self._statements[entity[0]], (self._keys.of(entity),)):
            row[place] = Stored(_bytes_of(value), _local_moment(seconds))
        return row


class RedisValues:
    """By one pipeline, an HMGET an entity."""

    def __init__(self, config: "RepoConfig", columns: Columns) -> None:
        from feast.infra.online_stores.helpers import _mmh3
        from feast.infra.online_stores.redis import _versioned_fv_name

        self._config, self._keys = config, EntityKeys(config, columns)
        self._project = config.project.encode()
        self._fields: dict[str, list[str | bytes]] = {}
        for join_key, each in columns.items():
            names = [(_versioned_fv_name(view, config), feature, is_read) for view, feature, is_read in each]
            moments: list[str | bytes] = [f"_ts:{view}" for view, _, _ in names]
            self._fields[join_key] = [*moments, *(_mmh3(f"{view}:{feature}") for view, feature, is_read in names if is_read)]
        self._is_read = {join_key: [column.is_read for column in each] for join_key, each in columns.items()}

    def read(self, online: Any, entities: Sequence[EntityId]) -> list[list[Stored]]:
        """See `StoredValues`."""
        client = online._get_client(self._config.online_store)
        with client.pipeline(transaction=False) as pipeline:
            for entity in entities:
                pipeline.hmget(self._keys.of(entity) + self._project, self._fields[entity[0]])
            answers = pipeline.execute()
        return [self._row(join_key, answer) for (join_key, _), answer in zip(entities, answers, strict=True)]

    def _row(self, join_key: str, answer: Sequence[bytes | None]) -> list[Stored]:
        is_read = self._is_read[join_key]
        contents = iter(answer[len(is_read) :])
        moments = answer[: len(is_read)]
        return [
            Stored(_bytes_of(next(contents)) if read else None, _proto_moment(moment))
            for read, moment in zip(is_read, moments, strict=True)
        ]


class EntityKeys:
    """Feast's bytes of entities of one key each: those of an empty id, then the id's length and the id.

    Feast's own function takes a tenth of a request's read.

    Args:
        config: of the store.
        join_keys: of the entities.
    """

    def __init__(self, config: "RepoConfig", join_keys: Iterable[str]) -> None:
        from feast.infra.key_encoding_utils import serialize_entity_key

        version = config.entity_key_serialization_version
        blank = {each: serialize_entity_key(entity_key(each, ""), entity_key_serialization_version=version) for each in join_keys}
        self._beginnings = {each: key.removesuffix(_length(b"")) for each, key in blank.items()}

    def of(self, entity: EntityId) -> bytes:
        """The key of one entity."""
        content = entity[1].encode()
        return self._beginnings[entity[0]] + _length(content) + content


def _length(content: bytes) -> bytes:
    return len(content).to_bytes(4, "little")


def _bytes_of(value: bytes | None) -> bytes | None:
    from feast.protos.feast.types.Value_pb2 import Value

    if value is None:
        return None
    parsed = Value.FromString(value)
    return parsed.bytes_val if parsed.HasField("bytes_val") else None


def _local_moment(seconds: int) -> datetime:
    """Feast's SQLite store keeps UTC's wall clock as if it were that of the machine's time zone."""
    return datetime.fromtimestamp(seconds).replace(tzinfo=UTC)  # noqa: DTZ006


def _proto_moment(value: bytes | None) -> datetime | None:
    """As Feast's Redis store gives it."""
    from google.protobuf.timestamp_pb2 import Timestamp

    if not value:
        return None
    moment = Timestamp.FromString(value)
    return datetime.fromtimestamp(moment.seconds + moment.nanos / 1_000_000_000, tz=UTC)
