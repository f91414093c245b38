"""What the rules do to the candidates of one request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.rules.conditions.item_bits import members
from endcap.engine.slate.placements import Placements

SCORE_ACTIONS = frozenset({"exclude", "boost", "bury"})


@dataclass(frozen=True)
class Concerned:
    """Which of m candidates each of r rules is about, kept as it was worked out: few of the answers are ever asked for.

    Attributes:
        rules: id and action of each rule.
        numbers: int64 [r], its place in the book, ascending.
        packed: uint8 [m, b], packed answers about items.
        columns: int64 [r], the rule's column of `packed`, -1 where it has none.
        others: bool [m] by place of the rules that have no column.
    """

    rules: tuple[tuple[str, str], ...]
    numbers: NDArray[np.int64]
    packed: NDArray[np.uint8]
    columns: NDArray[np.intp]
    others: Mapping[int, NDArray[np.bool_]]

    def of(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """bool [k, r]: for some candidates, which rules are about them."""
        concerned = np.zeros((len(rows), len(self.rules)), dtype=np.bool_)
        has_column = self.columns >= 0
        concerned[:, has_column] = members(self.packed[rows], self.columns[has_column]).T
        for place, held in self.others.items():
            concerned[:, place] = held[rows]
        return concerned

    def counts(self) -> NDArray[np.int64]:
        """int64 [r]: how many candidates each rule is about."""
        counts = np.zeros(len(self.rules), dtype=np.int64)
        has_column = self.columns >= 0
        if self.packed.size:
            by_column = np.add.reduce(np.unpackbits(self.packed, axis=1, bitorder="little"), axis=0, dtype=np.uint32)
            counts[has_column] = by_column[self.columns[has_column]]
        for place, held in self.others.items():
            counts[place] = np.count_nonzero(held)
        return counts


@dataclass(frozen=True)
class RuleEffects:
    """Effects on m candidates.

    Attributes:
        factor: float32 [m], what scores are multiplied by, 1 where no rule boosts or buries.
        excluded: bool [m], candidates that must not be shown.
        placements: what the slate must respect.
        concerned: which rules are about which candidates; None when no rule holds.
    """

    factor: NDArray[np.float32]
    excluded: NDArray[np.bool_]
    placements: Placements
    concerned: Concerned | None

    @classmethod
    def none(cls, candidates: int) -> "RuleEffects":
        """No rule holds."""
        return cls(np.ones(candidates, dtype=np.float32), np.zeros(candidates, dtype=np.bool_), Placements(), None)

    def counts(self, book_size: int) -> NDArray[np.int64]:
        """int64 [book_size]: how many candidates each rule of the book is about."""
        counts = np.zeros(book_size, dtype=np.int64)
        if self.concerned is not None:
            counts[self.concerned.numbers] = self.concerned.counts()
        return counts

    def touched(self, rows: NDArray[np.integer], placed_by: Sequence[str | None] = ()) -> list[list[str]]:
        """The rules that touched some candidates, by id.

        Args:
            rows: int [k], candidate rows.
            placed_by: for each of them the rule that gave it its place, as a slate says; empty to leave these out.

        Returns:
            For each row the rules that excluded, boosted or buried it, in the book's order, then the one that placed it.
        """
        touched: list[list[str]] = [[] for _ in rows]
        if self.concerned is not None:
            row, rule = np.nonzero(self.concerned.of(rows))
            for row_place, rule_place in zip(row.tolist(), rule.tolist(), strict=True):
                name, action = self.concerned.rules[rule_place]
                if action in SCORE_ACTIONS:
                    touched[row_place].append(name)
        for row_place, placing in enumerate(placed_by):
            if placing is not None and placing not in touched[row_place]:
                touched[row_place].append(placing)
        return touched
