"""Codes for names: position 0 is the unknown, so a code never collides with padding."""

from collections.abc import Collection, Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.name_index import NameIndex
from endcap.catalogue.text_column import TextColumn


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
