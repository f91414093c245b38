"""A topic of Kafka as the collector writes it: its name, the key of each line, and how a line becomes a message."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from endcap.contracts.event import Event

Encode = Callable[[bytes], bytes]

VERSION = str(Event.model_fields["schema_version"].default).encode()
"""Of every contract of the topics, which end in it."""


def as_written(line: bytes) -> bytes:
    """The line itself: JSON."""
    return line


@dataclass(frozen=True)
class Topic:
    """Attributes:
    name: in Kafka.
    key_fields: the first of them that a line has is its message's key: what has the same key stays in order.
    encode: makes a message's value of a line.
    has_probes: whether probes are among its lines.
    """

    name: str
    key_fields: tuple[str, ...]
    encode: Encode = as_written
    has_probes: bool = False

    def key_of(self, line: bytes) -> bytes | None:
        """The key of a line; None where it has none of the fields."""
        for pattern in self._patterns:
            if (found := pattern.search(line)) and len(found[1]) > len(b'""'):
                quoted = found[1]
                return quoted[1:-1] if b"\\" not in quoted else str(json.loads(quoted)).encode("utf-8", "replace")
        return None

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[bytes], ...]:
        # Quotes within a value are escaped, so this finds fields only, never what stands in a text.
        return tuple(re.compile(rb'"%s":("(?:[^"\\]|\\.)*")' % name.encode()) for name in self.key_fields)
