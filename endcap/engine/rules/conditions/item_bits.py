"""Which items each condition holds for, worked out for the whole catalogue: one bit an item and condition."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PanicException, PolarsError

from endcap.engine.rules.conditions.item_values import ItemValues, Rows

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


BLOCK_ROWS = 32_768
"""Items worked out at once: bounds the memory, and lets other threads run in between."""


Pause = Callable[[], None]
"""Lets threads that answer requests go first."""


def no_pause() -> None:
    """Go on at once."""


class CannotAnswer(Exception):
    """A condition that reads well fails on this catalogue's values."""

    def __init__(self, bit: int, cause: str) -> None:
        super().__init__(f"cannot be worked out for this catalogue: {cause[:160]}")
        self.bit = bit


@dataclass(frozen=True)
class ItemBits:
    """Answers of c conditions about n items.

    Attributes:
        conditions: the conditions by bit; each reads item columns only.
        packed: uint8 [n + 1, ceil(c / 8)], bit b of a row at byte b // 8, lowest bit first; row 0 is zero.
    """

    conditions: tuple[pl.Expr, ...]
    packed: NDArray[np.uint8]

    @classmethod
    def work_out(cls, conditions: Sequence[pl.Expr], values: ItemValues, pause: Pause = no_pause) -> "ItemBits":
        """Work out every condition.

        Args:
            conditions: by bit.
            values: the catalogue.
            pause: called between pieces of work.

        Raises:
            CannotAnswer: one cannot be worked out for this catalogue.
        """
        packed = np.zeros((len(values.items), -(-len(conditions) // 8)), dtype=np.uint8)
        bits = cls(tuple(conditions), packed)
        bits._write(range(len(conditions)), values, pause)
        return bits

    def updated(self, before: ItemValues, after: ItemValues, pause: Pause = no_pause) -> "ItemBits":
        """The same conditions for another state of the same items; those whose columns did not change are taken over."""
        if len(before.items) != len(after.items):
            return ItemBits.work_out(self.conditions, after, pause)
        same = {name: before.same(name, after) for condition in self.conditions for name in condition.meta.root_names()}
        changed = [bit for bit, condition in enumerate(self.conditions) if not all(same[name] for name in condition.meta.root_names())]
        if not changed:
            return self
        bits = ItemBits(self.conditions, self.packed.copy())
        bits._write(changed, after, pause)
        return bits

    def rows(self, index: NDArray[np.int32], places: BitPlaces) -> NDArray[np.uint8]:
        """uint8 [m, b]: the bytes of some items that hold the bits of `places`."""
        held = self.packed.take(index, axis=0)
        return held if len(places.bytes) == held.shape[1] else held.take(places.bytes, axis=1)

    def of(self, bit: int, rows: Rows) -> NDArray[np.bool_]:
        """bool [m]: the answers of one condition about some items."""
        answered: NDArray[np.bool_] = (self.packed[rows, bit >> 3] & MASKS[bit & 7]) != 0
        return answered

    def _write(self, numbers: Sequence[int], values: ItemValues, pause: Pause) -> None:
        by_code = {bit: found for bit in numbers if (found := _by_code(self.conditions[bit], values)) is not None}
        by_row = [bit for bit in numbers if bit not in by_code]
        rows = len(self.packed)
        for start in range(0, rows, BLOCK_ROWS):
            block = slice(start, min(start + BLOCK_ROWS, rows))
            answered = [(bit, held[codes[block]]) for bit, (held, codes) in by_code.items()]
            answered += zip(by_row, self._answers(by_row, values, block), strict=True)
            for bit, held in answered:
                mask = MASKS[bit & 7]
                target = self.packed[block, bit >> 3]
                target &= ~mask
                target |= held.astype(np.uint8) * mask
            pause()
        self.packed[0] = 0

    def _answers(self, numbers: Sequence[int], values: ItemValues, block: slice) -> list[NDArray[np.bool_]]:
        if not numbers:
            return []
        names = sorted({name for bit in numbers for name in self.conditions[bit].meta.root_names()})
        frame = values.frame(names, block)
        try:
            return answers(frame, numbered(self.conditions[bit] for bit in numbers))
        except (PolarsError, PanicException):
            raise self._culprit(numbers, frame) from None

    def _culprit(self, numbers: Sequence[int], frame: pl.DataFrame) -> CannotAnswer:
        for bit in numbers:
            try:
                answers(frame, [self.conditions[bit]])
            except (PolarsError, PanicException) as error:
                return CannotAnswer(bit, str(error))
        return CannotAnswer(numbers[0], "it cannot be worked out together with the others")


def answers(frame: pl.DataFrame, conditions: Sequence[pl.Expr]) -> list[NDArray[np.bool_]]:
    """bool [m] of each condition over a frame of m rows; unknown is no.

    One after the other: quicker for a thousand rows, and for a million it leaves the other cores to the requests.

    Args:
        frame: the columns that the conditions read.
        conditions: conditions on one row, each with a name of its own as `numbered` gives it.
    """
    answered = frame.select_seq(conditions).get_columns()
    return [(column.fill_null(False) if column.null_count() else column).to_numpy() for column in answered]


def numbered(conditions: Iterable[pl.Expr]) -> list[pl.Expr]:
    """The same expressions, each with a name of its own."""
    return [condition.alias(str(number)) for number, condition in enumerate(conditions)]


def _by_code(condition: pl.Expr, values: ItemValues) -> tuple[NDArray[np.bool_], NDArray[np.int32]] | None:
    """The answers by code and the codes, of a condition that reads one coded column: names are far fewer than items."""
    names = set(condition.meta.root_names())
    coded = values.coded(next(iter(names))) if len(names) == 1 else None
    if coded is None:
        return None
    column, codes = coded
    return answers(column.alias(next(iter(names))).to_frame(), [condition])[0], codes
