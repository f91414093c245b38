"""The answers of conditions about the items of one request, still packed eight to a byte."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MASKS = np.array([1, 2, 4, 8, 16, 32, 64, 128], dtype=np.uint8)


@dataclass(frozen=True)
class BitPlaces:
    """Where the bits that some rules need stand, once only the bytes that hold any of them are kept.

    Attributes:
        bytes: int64 [b], the bytes of a whole row that are kept, ascending.
    """

    bytes: NDArray[np.intp]

    @classmethod
    def of(cls, bits: Collection[int]) -> "BitPlaces":
        return cls(np.array(sorted({bit >> 3 for bit in bits}), dtype=np.intp))

    def column(self, bit: int) -> int:
        """The place of a bit among all bits that are kept."""
        return 8 * int(np.searchsorted(self.bytes, bit >> 3)) + (bit & 7)


def members(packed: NDArray[np.uint8], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """bool [len(columns), m]: some columns of uint8 [m, b] packed answers, each contiguous."""
    return Members(columns).of(np.ascontiguousarray(packed.T))


class Members:
    """Some columns of packed answers."""

    def __init__(self, columns: NDArray[np.intp]) -> None:
        self._bytes, self._masks = columns >> 3, MASKS[columns & 7][:, None]

    def of(self, by_byte: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """bool [c, m], each contiguous, of uint8 [b, m] packed answers."""
        held: NDArray[np.bool_] = (by_byte.take(self._bytes, axis=0) & self._masks) != 0
        return held


class ColumnSums:
    """For each row of packed answers the sum of some columns' weights, looked up a byte at a time."""

    def __init__(self, byte_count: int, columns: NDArray[np.intp], weights: NDArray[np.float32]) -> None:
        """Work out the sum for every value of every byte.

        Args:
            byte_count: b, bytes a row.
            columns: int64 [c].
            weights: float32 [c].
        """
        by_column = np.zeros(8 * byte_count, dtype=np.float32)
        np.add.at(by_column, columns, weights)
        values = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.float32)
        weighted = np.flatnonzero(by_column.reshape(byte_count, 8).any(axis=1))
        self._bytes = weighted if len(weighted) < byte_count else None
        self._sums: NDArray[np.float32] = (by_column.reshape(byte_count, 8)[weighted] @ values.T).ravel()
        self._starts = 256 * np.arange(len(weighted), dtype=np.intp)
        self._ones = np.ones(len(weighted), dtype=np.float32)

    def __bool__(self) -> bool:
        return len(self._ones) > 0

    def of(self, packed: NDArray[np.uint8]) -> NDArray[np.float32]:
        """float32 [m] of uint8 [m, b] packed answers."""
        held = packed if self._bytes is None else packed.take(self._bytes, axis=1)
        return self._sums.take(held + self._starts, mode="clip") @ self._ones


class AnyColumn:
    """Whether any of some columns is set in a row of packed answers."""

    def __init__(self, columns: NDArray[np.intp]) -> None:
        self._bytes = np.unique(columns >> 3)
        self._masks = np.zeros(len(self._bytes), dtype=np.uint8)
        np.bitwise_or.at(self._masks, np.searchsorted(self._bytes, columns >> 3), MASKS[columns & 7])

    def of(self, by_byte: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """bool [m] of uint8 [b, m] packed answers."""
        if not len(self._bytes):
            return np.zeros(by_byte.shape[1], dtype=np.bool_)
        held: NDArray[np.bool_] = np.bitwise_or.reduce(by_byte.take(self._bytes, axis=0) & self._masks[:, None], axis=0) != 0
        return held
