"""One partition that is read, and how its place is named."""

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Partition:
    """How far one partition was fetched.

    Attributes:
        topic: its name.
        number: of the partition.
        next: offset of the message that comes next; None before anything was heard, where no place is stored.
        end: offset after its last message, as Kafka last said; None before it said anything.
        is_paused: whether Kafka's client is to fetch no more for now.
        hungry_since: monotonic seconds since when others wait for it; None while they do not.
    """

    topic: str
    number: int
    next: int | None = None
    end: int | None = None
    is_paused: bool = False
    hungry_since: float | None = None

    @property
    def name(self) -> str:
        """Its place."""
        return f"{self.topic}/{self.number}"

    @property
    def has_more(self) -> bool | None:
        """Whether Kafka has more than was fetched; None while nobody knows."""
        if self.end is None or self.next is None:
            return None
        return self.next < self.end


def identity_place(topic: str) -> str:
    """The place under which it is kept which topic of a name was read."""
    return f"{topic}/identity"
