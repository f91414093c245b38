"""How a process writes the values of a topic: framed where a registry is set and the schema's id is known, else as plain JSON."""

from collections.abc import Callable
from typing import Protocol

from endcap.contracts.topics import Topic, topic_called, value_subject
from endcap.core.settings import Settings
from endcap.events.schemas.frame import framed
from endcap.events.schemas.known_ids import KnownIds
from endcap.events.schemas.registry import open_registry
from endcap.events.schemas.released import newest_schema
from endcap.events.schemas.schema_ids import SchemaId


class ValueFormat(Protocol):
    """Makes of a value's JSON what Kafka gets; for one thread."""

    def encoded(self, json: bytes) -> bytes:
        """The value."""

    def close(self) -> None:
        """Let go of what it needs."""


class PlainJson:
    """JSON as it is."""

    def encoded(self, json: bytes) -> bytes:
        return json

    def close(self) -> None:
        """Nothing is held."""


class FramedJson:
    """JSON behind the id of its schema; as it is while no id is known, which is counted.

    Args:
        schema_id: started; closed with this.
        count_plain: called with the number of values that went without a frame.
    """

    def __init__(self, schema_id: SchemaId, count_plain: Callable[[int], None]) -> None:
        self._schema_id = schema_id
        self._count_plain = count_plain

    def encoded(self, json: bytes) -> bytes:
        known = self._schema_id.value
        if known is None:
            self._count_plain(1)
            return json
        return framed(known, json)

    def close(self) -> None:
        self._schema_id.close()


def open_value_format(settings: Settings, topic: str, count_plain: Callable[[int], None], has: Topic | None = None) -> ValueFormat:
    """The format that the settings choose for one topic.

    Args:
        settings: all settings.
        topic: its whole name.
        count_plain: called with the number of values that went without a frame though a registry is set.
        has: what its values are; None goes by the name, and one that is none of endcap's own has events.

    Raises:
        InvalidInput: the registry's settings cannot be used.
    """
    if not settings.schemas.registry_url:
        return PlainJson()
    of = has or topic_called(topic, settings.events.topic_prefix)
    schema_id = SchemaId(
        open_registry(settings.schemas),
        KnownIds(settings.schema_ids_file),
        value_subject(topic),
        newest_schema(of.stem).text,
        refresh_seconds=settings.schemas.refresh_seconds,
    )
    schema_id.start()
    return FramedJson(schema_id, count_plain)
