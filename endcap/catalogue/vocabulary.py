"""Codes for names: position 0 is the unknown, so a code never collides with padding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Vocabulary:
    """Names in order; the code of a name is its place, from 1. Code 0 is the unknown."""

    names: tuple[str, ...]
    _codes: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_codes", {name: code for code, name in enumerate(self.names, start=1)})

    @classmethod
    def of(cls, values: Iterable[str | None]) -> "Vocabulary":
        """The distinct non-empty values, sorted."""
        return cls(tuple(sorted({value for value in values if value})))

    def __len__(self) -> int:
        return len(self.names) + 1

    def code(self, name: str | None) -> int:
        return self._codes.get(name, 0) if name else 0

    def codes(self, names: Sequence[str | None]) -> NDArray[np.int32]:
        """int32 [len(names)]; 0 where unknown."""
        get = self._codes.get
        return np.fromiter((get(name, 0) if name else 0 for name in names), dtype=np.int32, count=len(names))

    def name(self, code: int) -> str:
        return self.names[code - 1] if code > 0 else ""
