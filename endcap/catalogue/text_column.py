"""Texts of a whole catalogue in two arrays: a million titles as Python objects take 100 MB and slow every garbage collection down."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import polars as pl
from numpy.typing import NDArray

_CHUNK = 65_536


class TextColumn(Sequence[str]):
    """n texts as UTF-8 bytes end to end. Reading one makes a new `str`, in about half a microsecond."""

    __slots__ = ("_bytes", "_starts")

    def __init__(self, content: bytes, starts: NDArray[np.int64]) -> None:
        """Take over the arrays.

        Args:
            content: all texts, UTF-8, without anything between.
            starts: int64 [n + 1], where each text starts; the last is the length of `content`.
        """
        self._bytes = content
        self._starts = starts

    @classmethod
    def of(cls, texts: Sequence[str] | pl.Series) -> "TextColumn":
        """Texts in order; a null becomes the empty text."""
        series = texts if isinstance(texts, pl.Series) else pl.Series(texts, dtype=pl.String)
        arrow = series.fill_null("").rechunk().to_arrow()
        _, starts, content = arrow.buffers()
        places = np.frombuffer(starts, dtype=np.int64)[arrow.offset : arrow.offset + len(series) + 1]
        return cls(content.to_pybytes() if content is not None else b"", places)

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return self.take(np.arange(*index.indices(len(self))))
        place = index if index >= 0 else index + len(self)
        if not 0 <= place < len(self):
            raise IndexError(f"text {index} of {len(self)}")
        return self._bytes[self._starts.item(place) : self._starts.item(place + 1)].decode()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), _CHUNK):
            yield from self[start : start + _CHUNK]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TextColumn):
            return NotImplemented
        return self._bytes == other._bytes and np.array_equal(self._starts, other._starts)

    def __hash__(self) -> int:
        return hash(self._bytes)

    def take(self, index: NDArray[np.integer]) -> list[str]:
        """The texts at int [m] places, none of them negative."""
        content = self._bytes
        starts, ends = self._starts[index].tolist(), self._starts[1:][index].tolist()
        return [content[start:end].decode() for start, end in zip(starts, ends, strict=True)]
