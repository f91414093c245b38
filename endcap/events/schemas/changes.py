"""What became of the topics' schemas since they were released."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from endcap.contracts.topic_schema import JsonSchema, schema_text, topic_schema
from endcap.contracts.topics import TOPICS, Topic, next_stem
from endcap.core.errors import SchemaIncompatible
from endcap.events.schemas.compatibility.breaks import Break
from endcap.events.schemas.compatibility.judging import breaks_of_any
from endcap.events.schemas.released import VERSIONS, released_schemas


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One topic's schema by its contract, held against those that were released.

    Attributes:
        topic: whose.
        schema: by the contract as it is now.
        version: number that it has, or will have.
        is_new: whether no released version is like it.
        breaks: what it does not read of what earlier versions allow.
    """

    topic: Topic
    schema: JsonSchema
    version: int
    is_new: bool
    breaks: tuple[Break, ...]


def schema_change(topic: Topic, folder: Path = VERSIONS) -> SchemaChange:
    """Compare a topic's contract with all its released schemas.

    Raises:
        DataRejected: a released schema cannot be read.
    """
    released = released_schemas(topic.stem, folder)
    schema = topic_schema(topic.contract)
    is_new = not released or released[-1].text != schema_text(schema)
    breaks = breaks_of_any([each.schema for each in released], schema)
    return SchemaChange(topic, schema, len(released) + is_new, is_new, breaks)


def schema_changes(topics: Sequence[Topic] = TOPICS, folder: Path = VERSIONS) -> tuple[SchemaChange, ...]:
    """The same of each topic.

    Raises:
        DataRejected: a released schema cannot be read.
    """
    return tuple(schema_change(topic, folder) for topic in topics)


def require_compatible(changes: Sequence[SchemaChange]) -> None:
    """Go on only where readers of each topic can read all that is in it.

    Raises:
        SchemaIncompatible: the first thing that breaks, with the field's name and the fix; it says how many more there are.
    """
    broken = [(change.topic, found) for change in changes for found in change.breaks]
    if not broken:
        return
    topic, first = broken[0]
    more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
    fix = f"{first.fix}, or begin the topic {next_stem(topic.stem)}"
    raise SchemaIncompatible(f"{first.what}{more}", field=f"{topic.stem}: {first.field}", fix=fix)
