"""What the rules ask of a finished list: places, ceilings and floors that the slate must respect."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pin:
    """The best of its members stands at `position` (from 1). `member`: bool [m], over the candidates."""

    rule: str
    position: int
    member: NDArray[np.bool_]


@dataclass(frozen=True)
class Cap:
    """At most `most` items of one group among the first `within` places (None: the whole list).

    `group`: int32 [m], the group's code, negative for candidates that the cap does not concern.
    """

    rule: str
    group: NDArray[np.int32]
    most: int
    within: int | None = None


@dataclass(frozen=True)
class MinimumShare:
    """At least `share` of the list, rounded up, are members, as far as there are any. `member`: bool [m]."""

    rule: str
    member: NDArray[np.bool_]
    share: float


@dataclass(frozen=True)
class Reserve:
    """The places in `positions` (from 1) are for members, as far as there are any. `member`: bool [m]."""

    rule: str
    member: NDArray[np.bool_]
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Placements:
    """In order of precedence: a pin beats a reserve, a reserve a minimum share, a share a cap; within a kind the earlier rule wins."""

    pins: tuple[Pin, ...] = ()
    reserves: tuple[Reserve, ...] = ()
    shares: tuple[MinimumShare, ...] = ()
    caps: tuple[Cap, ...] = ()

    def over(self, rows: NDArray[np.intp]) -> "Placements":
        """The same for some of the candidates, in the order of `rows`."""
        return Placements(
            tuple(replace(each, member=each.member[rows]) for each in self.pins),
            tuple(replace(each, member=each.member[rows]) for each in self.reserves),
            tuple(replace(each, member=each.member[rows]) for each in self.shares),
            tuple(replace(each, group=each.group[rows]) for each in self.caps),
        )

    def __bool__(self) -> bool:
        return bool(self.pins or self.reserves or self.shares or self.caps)
