"""Codes for names: position 0 is the unknown, so a code never collides with padding."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.text_column import TextColumn

_WAYS = 4
"""Places in a bucket; all of them are in one cache line, so a lookup waits for memory once."""
_CHUNK = 65_536
_FEW = 10
"""Up to so many names are looked up sooner one by one."""


class NameIndex:
    """Codes 1..n of n names.

    A place holds the upper bits of a name's 64-bit hash and its code in the lower ones; the bucket's number is the lower bits of the
    hash. A name that is not there is taken for another one only when all of both hashes' bits agree. The few names whose bucket is full
    are in a dict by hash. Hashes are Python's own, so a table is of use in the process that built it (and its forks) only.
    """

    __slots__ = ("_bucket_mask", "_code_mask", "_hash_mask", "_overflow", "_table")

    def __init__(self, names: Collection[str] | pl.Series) -> None:
        count = len(names)
        bits = max(count.bit_length(), 1)
        hashes = _hashes(names)
        self._code_mask = (1 << bits) - 1
        self._hash_mask = ~self._code_mask
        self._bucket_mask = (1 << bits) - 1
        bucket = hashes & self._bucket_mask
        order = np.argsort(bucket, kind="stable")
        place = _place_within(bucket[order])
        fits = place < _WAYS
        self._table = np.zeros((self._bucket_mask + 1, _WAYS), dtype=np.int64)
        self._table[bucket[order][fits], place[fits]] = (hashes[order][fits] & self._hash_mask) | (order[fits] + 1)
        self._overflow: dict[int, int] = {hashes.item(row): row + 1 for row in order[~fits].tolist()}

    def code(self, name: str) -> int:
        """The code of one name, 0 when it is not there."""
        hashed = hash(name)
        upper = hashed & self._hash_mask
        bucket: list[int] = self._table[hashed & self._bucket_mask].tolist()
        for entry in bucket:
            if entry & self._hash_mask == upper and entry & self._code_mask:
                return entry & self._code_mask
        return self._overflow.get(hashed, 0)

    def codes(self, names: Collection[str | None] | pl.Series) -> NDArray[np.int32]:
        """int32 [len(names)], 0 where a name is None or not there."""
        if len(names) <= _FEW:
            return np.array([self.code(name) if name is not None else 0 for name in names], dtype=np.int32)
        hashes = _hashes(names)
        entries = self._table.take(hashes & self._bucket_mask, axis=0)
        entries ^= (hashes & self._hash_mask)[:, None]
        before = entries.view(np.uint64)
        before -= np.uint64(1)  # of an entry with the same upper bits the code remains, so now code - 1; an empty place becomes the largest
        row, way = np.nonzero(before < np.uint64(self._code_mask))
        codes = np.zeros(len(names), dtype=np.int32)
        codes[row] = before[row, way] + 1
        if self._overflow:
            for place in np.flatnonzero(codes == 0).tolist():
                codes[place] = self._overflow.get(hashes.item(place), 0)
        return codes


def _hashes(names: Collection[str | None] | pl.Series) -> NDArray[np.int64]:
    """int64 [len(names)]."""
    if not isinstance(names, pl.Series):
        return np.fromiter(map(hash, names), dtype=np.int64, count=len(names))
    hashes = np.empty(len(names), dtype=np.int64)
    for start in range(0, len(names), _CHUNK):
        chunk = names.slice(start, _CHUNK).to_list()  # so that not all of them are Python objects at once
        hashes[start : start + _CHUNK] = np.fromiter(map(hash, chunk), dtype=np.int64, count=len(chunk))
    return hashes


def _place_within(bucket: NDArray[np.int64]) -> NDArray[np.int64]:
    """For ascending bucket numbers, how many of the same stand before each."""
    starts = np.flatnonzero(np.diff(bucket, prepend=-1))
    return np.arange(len(bucket)) - np.repeat(starts, np.diff(starts, append=len(bucket)))


class Vocabulary:
    """Names in order; the code of a name is its place, from 1. Code 0 is the unknown, None and the empty name.

    Attributes:
        names: all names, without the unknown.
    """

    __slots__ = ("_index", "names")

    def __init__(self, names: Sequence[str] | pl.Series) -> None:
        """Take names that are all different and not empty."""
        self.names = names if isinstance(names, TextColumn) else TextColumn.of(names)
        self._index = NameIndex(names)

    @classmethod
    def of(cls, values: Iterable[str | None]) -> "Vocabulary":
        """The distinct non-empty values, sorted."""
        return cls(sorted({value for value in values if value}))

    def __len__(self) -> int:
        return len(self.names) + 1

    def __eq__(self, other: object) -> bool:
        return self.names == other.names if isinstance(other, Vocabulary) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.names)

    def __reduce__(self) -> tuple[type["Vocabulary"], tuple[list[str]]]:
        """Names only: another process hashes differently."""
        return Vocabulary, (list(self.names),)

    def code(self, name: str | None) -> int:
        return self._index.code(name) if name else 0

    def codes(self, names: Collection[str | None] | pl.Series) -> NDArray[np.int32]:
        """int32 [len(names)]; 0 where unknown."""
        return self._index.codes(names)

    def name(self, code: int) -> str:
        return self.names[code - 1] if code > 0 else ""
