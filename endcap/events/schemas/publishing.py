"""The released schemas of all topics, put into a registry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from endcap.contracts.topics import TOPICS, topic_called, value_subject
from endcap.core.settings import EventSettings
from endcap.events.log.topic_names import impressions_topic
from endcap.events.schemas.registry import Registered, SchemaRegistry
from endcap.events.schemas.released import VERSIONS, ReleasedSchema, released_schemas


class Outcome(StrEnum):
    THERE = "there"
    REGISTERED = "registered"
    WOULD_REGISTER = "would be registered"


@dataclass(frozen=True, slots=True)
class PublishedSchema:
    """One version of one topic's schema.

    Attributes:
        number: endcap's own.
        version: the registry's; None where it is not there yet.
        id: what frames name it by; None where it is not there yet.
    """

    subject: str
    number: int
    version: int | None
    id: int | None
    outcome: Outcome


def topic_names(settings: EventSettings) -> Sequence[str]:
    """The topics whose values have a schema: endcap's own, and the one of lists that were shown where it has another name."""
    own = [topic.named(settings.topic_prefix) for topic in TOPICS]
    return own if impressions_topic(settings) in own else [*own, impressions_topic(settings)]


def published(registry: SchemaRegistry, settings: EventSettings, *, is_dry_run: bool, folder: Path = VERSIONS) -> Sequence[PublishedSchema]:
    """Have the registry know all released schemas, and refuse what would break readers; done again it changes nothing.

    Of each subject only what is newer than the newest version that is there is registered.

    Args:
        registry: is asked, and changed unless it is a dry run.
        settings: the topics' names.
        is_dry_run: only say what would be done.
        folder: of the released schemas.

    Raises:
        SchemaIncompatible: the registry refuses a schema.
        DependencyUnavailable: the registry does not answer.
        DataRejected: a released schema cannot be read.
    """
    return [
        row
        for topic in topic_names(settings)
        for row in _of_subject(
            registry, value_subject(topic), released_schemas(topic_called(topic, settings.topic_prefix).stem, folder), is_dry_run=is_dry_run
        )
    ]


def _of_subject(
    registry: SchemaRegistry, subject: str, released: Sequence[ReleasedSchema], *, is_dry_run: bool
) -> Iterator[PublishedSchema]:
    is_judged = is_dry_run or registry.set_mode(subject)
    newest, there = _newest_there(registry, subject, released)
    if there is not None:
        yield PublishedSchema(subject, newest, there.version, there.id, Outcome.THERE)
    for schema in released[newest:]:
        if is_dry_run:
            yield PublishedSchema(subject, schema.number, None, None, Outcome.WOULD_REGISTER)
            continue
        registered = registry.register(subject, schema.text)
        # Some registries know a subject only from its first schema on.
        is_judged = is_judged or registry.set_mode(subject)
        yield PublishedSchema(subject, schema.number, registered.version, registered.id, Outcome.REGISTERED)


def _newest_there(registry: SchemaRegistry, subject: str, released: Sequence[ReleasedSchema]) -> tuple[int, Registered | None]:
    """Number of the newest version that the registry has, and what it calls it; 0 where it has none."""
    for schema in reversed(released):
        if (registered := registry.found(subject, schema.text)) is not None:
            return schema.number, registered
    return 0, None
