"""The wire format of values in Kafka: Confluent's frame, which names a value's schema, or plain JSON."""

from dataclasses import dataclass
from struct import Struct

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.errors import EndcapError

MAGIC = 0
"""First byte of a framed value."""
SCHEMA_ID_MAX = 2**32 - 1

_HEADER = Struct(">BI")
_JSON_BEGINS = frozenset(b'{["-0123456789tfn \t\r\n')


class BrokenFrame(EndcapError):
    """A value that is neither framed nor plain JSON; `kind` is the dead letter's that it becomes."""

    kind = DeadLetterKind.PAYLOAD_BROKEN


class UnknownMagicByte(BrokenFrame):
    """A value that begins with a byte of another format."""


class TruncatedFrame(BrokenFrame):
    """A value that ends before its schema's id does, or that is empty."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was sent.

    Attributes:
        json: JSON, not checked.
        schema_id: the schema's id in the registry; None for plain JSON.
    """

    json: bytes
    schema_id: int | None = None


def framed(schema_id: int, json: bytes) -> bytes:
    """The value as Kafka gets it: a zero, the id in four bytes, big end first, and the JSON.

    Args:
        schema_id: from 0 to 4,294,967,295, as the registry gave it.
        json: one JSON text.

    Raises:
        ValueError: the id does not fit.
    """
    if not 0 <= schema_id <= SCHEMA_ID_MAX:
        raise ValueError(f"schema_id: {schema_id} is not from 0 to {SCHEMA_ID_MAX}")
    return _HEADER.pack(MAGIC, schema_id) + json


def opened(value: bytes) -> Value:
    """A value from Kafka, whichever of the two ways it was written; its first byte tells.

    Raises:
        UnknownMagicByte: it begins with neither.
        TruncatedFrame: it ends too early.
    """
    if not value:
        raise TruncatedFrame("the value is empty", field="value", fix="send JSON")
    if value[0] in _JSON_BEGINS:
        return Value(value)
    if value[0] != MAGIC:
        fix = "send JSON, or Confluent's frame, which begins with 0"
        raise UnknownMagicByte(f"begins with the byte {value[0]}", field="value", fix=fix)
    if len(value) < _HEADER.size:
        raise TruncatedFrame(f"has {len(value)} bytes", field="value", fix=f"send a frame of {_HEADER.size} bytes and JSON behind it")
    _, schema_id = _HEADER.unpack_from(value)
    return Value(value[_HEADER.size :], schema_id)
