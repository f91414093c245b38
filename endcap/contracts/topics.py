"""Topics: which contract the values of each of endcap's topics have, and what they are called in Kafka and in a schema registry."""

from dataclasses import dataclass

from pydantic import BaseModel

from endcap.contracts.catalogue_change import CatalogueChange
from endcap.contracts.dead_letter import DeadLetter
from endcap.contracts.impression import Impression
from endcap.contracts.logged_event import LoggedEvent


@dataclass(frozen=True, slots=True)
class Topic:
    """What one topic is for.

    Attributes:
        stem: its name behind the prefix; the number at its end is the contract's, so that what would break readers goes to another topic.
        contract: what a value is.
        meaning: what a value says.
    """

    stem: str
    contract: type[BaseModel]
    meaning: str

    def named(self, prefix: str) -> str:
        """Its name in Kafka.

        Args:
            prefix: `ENDCAP_EVENTS__TOPIC_PREFIX`.
        """
        return f"{prefix}.{self.stem}"


EVENTS = Topic("events.v1", LoggedEvent, "What customers did and saw, and probes.")
IMPRESSIONS = Topic("impressions.v1", Impression, "Places of lists as they were served.")
REJECTED = Topic("rejected.v1", DeadLetter, "Events that were not taken, with their reasons.")
CATALOGUE = Topic("catalogue.v1", CatalogueChange, "Changes of the catalogue between two bundles.")

TOPICS = (EVENTS, IMPRESSIONS, REJECTED, CATALOGUE)


def topic_called(name: str, prefix: str) -> Topic:
    """What the topic of a name has; one that is none of endcap's own has events.

    Args:
        name: its whole name.
        prefix: of endcap's own topics.
    """
    return next((topic for topic in TOPICS if topic.named(prefix) == name), EVENTS)


def value_subject(topic: str) -> str:
    """The subject under which a schema registry has the schemas of a topic's values.

    Args:
        topic: its whole name.
    """
    return f"{topic}-value"


def next_stem(stem: str) -> str:
    """The topic that takes what readers of this one cannot read: `events.v2` after `events.v1`."""
    name, number = stem.rsplit(".v", 1)
    return f"{name}.v{int(number) + 1}"
