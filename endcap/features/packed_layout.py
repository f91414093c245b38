"""A row of features as one value of bytes, which is read without a step for each entry.

Little-endian, in this order:

| part | type |
| --- | --- |
| `ec`, version, 0 | bytes [4] |
| layout: CRC-32 of its columns' names and types | uint32 |
| CRC-32 of all that follows the header | uint32 |
| length of the whole, bytes | uint32 |
| entries of each list and text, `MISSING` where there is none; `LONG_FORM` is set where a text holds the separator | uint32 [columns] |
| bytes of each text and list of texts | uint32 [texts] |
| 1 for each number and integer that is missing | uint8 [numbers and integers] |
| zeros up to a multiple of 8 | uint8 |
| integers, then lists of integers | int64 |
| numbers, then lists of numbers | float32 |
| texts, then lists of texts: UTF-8, entries separated by a zero byte; in the long form their lengths (uint32) come first | |

Ids stay ids: an item's index is another one in the next bundle.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 1
"""Of the format. Readers of another version read the columns beside it."""

MISSING = 0xFFFF_FFFF
LONG_FORM = 0x8000_0000

_SEPARATOR = "\0"
_BEGINNING = b"ec" + bytes((VERSION, 0))
_HEADER = struct.Struct("<4sIII")
_COUNT, _INTEGER, _NUMBER = np.dtype("<u4"), np.dtype("<i8"), np.dtype("<f4")


class PackedRowUnreadable(ValueError):
    """A packed row of another version or other columns, or a damaged one."""


@dataclass(frozen=True)
class PackedLayout:
    """The columns of a packed row, by type, in the order in which they are packed.

    Attributes:
        names: all columns, in the order of an unpacked row.
        numbers: float32, one each.
        integers: int64, one each.
        texts: one each.
        number_lists, integer_lists, text_lists: float32, int64 and texts, any number each.
    """

    names: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    integers: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    number_lists: tuple[str, ...] = ()
    integer_lists: tuple[str, ...] = ()
    text_lists: tuple[str, ...] = ()

    @cached_property
    def checksum(self) -> int:
        """Differs between layouts that must not be taken for each other."""
        groups = (self.numbers, self.integers, self.texts, self.number_lists, self.integer_lists, self.text_lists)
        return zlib.crc32("\n".join(" ".join(group) for group in groups).encode())

    def pack(self, row: Mapping[str, Any]) -> bytes:
        """A row's bytes.

        Args:
            row: values by column; lists may be arrays, and what is None or missing is None when it is unpacked.

        Raises:
            TypeError, ValueError, OverflowError: a value is not of its column's type.
        """
        lists = [_typed(row.get(name), _INTEGER) for name in self.integer_lists]
        number_lists = [_typed(row.get(name), _NUMBER) for name in self.number_lists]
        texts = [None if row.get(name) is None else [row[name]] for name in self.texts]
        packed_texts = [_packed_texts(each) for each in (*texts, *(row.get(name) for name in self.text_lists))]
        counts = [*(MISSING if each is None else len(each) for each in (*lists, *number_lists)), *(count for count, _ in packed_texts)]
        scalars = [row.get(name) for name in (*self.integers, *self.numbers)]
        integers, numbers = scalars[: len(self.integers)], scalars[len(self.integers) :]
        lead = b"".join(
            [
                np.array([*counts, *(len(content) for _, content in packed_texts)], dtype=_COUNT).tobytes(),
                bytes(each is None for each in scalars),
            ]
        )
        body = b"".join(
            [
                lead.ljust(_padded(len(lead)), b"\0"),
                np.array([0 if each is None else each for each in integers], dtype=_INTEGER).tobytes(),
                *(each.tobytes() for each in lists if each is not None),
                np.array([0.0 if each is None else each for each in numbers], dtype=_NUMBER).tobytes(),
                *(each.tobytes() for each in number_lists if each is not None),
                *(content for _, content in packed_texts),
            ]
        )
        return _HEADER.pack(_BEGINNING, self.checksum, zlib.crc32(body), _HEADER.size + len(body)) + body

    def unpack(self, packed: bytes) -> dict[str, Any]:
        """A row's values by column: numbers as float, integers as int, texts as str; lists as float32 or int64 arrays that are views of
        `packed`, lists of texts as lists of str. None for what was missing.

        Raises:
            PackedRowUnreadable: it is of another version or layout, or damaged.
        """
        self._check(packed)
        texts = len(self.texts) + len(self.text_lists)
        columns = len(self.integer_lists) + len(self.number_lists) + texts
        start = _HEADER.size
        counts = np.frombuffer(packed, _COUNT, columns + texts, start).tolist()
        start += _COUNT.itemsize * len(counts)
        scalars = len(self.integers) + len(self.numbers)
        missing = packed[start : start + scalars]
        start = _HEADER.size + _padded(start + scalars - _HEADER.size)
        found: dict[str, Any] = {}
        integers = np.frombuffer(packed, _INTEGER, len(self.integers), start).tolist()
        start += _INTEGER.itemsize * len(integers)
        ends = len(self.integer_lists)
        start = _unpack_lists(found, packed, start, _INTEGER, zip(self.integer_lists, counts[:ends], strict=True))
        numbers = np.frombuffer(packed, _NUMBER, len(self.numbers), start).tolist()
        start += _NUMBER.itemsize * len(numbers)
        start = _unpack_lists(found, packed, start, _NUMBER, zip(self.number_lists, counts[ends : columns - texts], strict=True))
        found.update(zip((*self.integers, *self.numbers), (*integers, *numbers), strict=True))
        if any(missing):
            found.update((name, None) for name, gone in zip((*self.integers, *self.numbers), missing, strict=True) if gone)
        for name, count, size in zip((*self.texts, *self.text_lists), counts[columns - texts : columns], counts[columns:], strict=True):
            found[name] = _unpacked_texts(packed[start : start + size], count)
            start += size
        found.update((name, found[name][0]) for name in self.texts if found[name] is not None)
        return {name: found[name] for name in self.names}

    def _check(self, packed: bytes) -> None:
        if len(packed) < _HEADER.size:
            raise PackedRowUnreadable(f"it has {len(packed)} bytes, fewer than a header")
        beginning, layout, checksum, length = _HEADER.unpack_from(packed)
        if beginning != _BEGINNING:
            raise PackedRowUnreadable(f"it begins with {beginning!r}: no packed row of version {VERSION}")
        if layout != self.checksum:
            raise PackedRowUnreadable("it has other columns")
        if length != len(packed) or checksum != zlib.crc32(memoryview(packed)[_HEADER.size :]):
            raise PackedRowUnreadable("it is damaged")


def _padded(length: int) -> int:
    """Up to where zeros go, so that int64 begins at a multiple of 8: the header has 16 bytes."""
    return -(-length // 8) * 8


def _typed(values: Sequence[Any] | NDArray[Any] | None, dtype: np.dtype[Any]) -> NDArray[Any] | None:
    return None if values is None else np.asarray(values, dtype=dtype)


def _packed_texts(texts: Sequence[str] | None) -> tuple[int, bytes]:
    """How many texts, with LONG_FORM where they are so, and their bytes."""
    if texts is None:
        return MISSING, b""
    joined = _SEPARATOR.join(texts)
    if len(texts) < 2 or joined.count(_SEPARATOR) == len(texts) - 1:
        return len(texts), joined.encode()
    each = [text.encode() for text in texts]
    return len(texts) | LONG_FORM, np.array([len(text) for text in each], dtype=_COUNT).tobytes() + b"".join(each)


def _unpacked_texts(content: bytes, count: int) -> list[str] | None:
    if count == MISSING:
        return None
    if count & LONG_FORM:
        lengths = np.frombuffer(content, _COUNT, count ^ LONG_FORM)
        ends = np.cumsum(lengths) + lengths.nbytes
        return [content[end - length : end].decode() for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)]
    if count == 0:
        return []
    return content.decode().split(_SEPARATOR) if count > 1 else [content.decode()]


def _unpack_lists(found: dict[str, Any], packed: bytes, start: int, dtype: np.dtype[Any], counted: Iterator[tuple[str, int]]) -> int:
    """Put lists of one type into `found`; where the next part begins."""
    for name, count in counted:
        if count == MISSING:
            found[name] = None
            continue
        found[name] = np.frombuffer(packed, dtype, count, start)
        start += count * dtype.itemsize
    return start
