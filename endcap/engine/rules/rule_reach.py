"""How much of a catalogue each rule is about, and how much it leaves: what is to be known before a rule is in force."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.rules.active_rules import BookRule
from endcap.engine.rules.conditions.columns import ITEM_NAMES
from endcap.engine.rules.conditions.condition import OfItem
from endcap.engine.rules.conditions.item_bits import ItemBits
from endcap.engine.rules.conditions.item_values import ItemValues
from endcap.engine.rules.file.rule_file import CapPer, Rule
from endcap.engine.slate.floors import members_required


@dataclass(frozen=True)
class RuleReach:
    """One rule over a whole catalogue; None where that depends on the request.

    Attributes:
        matches: items that meet `where`, all without one.
        in_stock: those of them that are in stock.
        leaves: items in stock that one list may have while the rule holds; for a cap with `within`, that its first places may have.
        catalogue: items in stock at all.
    """

    rule: Rule
    matches: int | None
    in_stock: int | None
    leaves: int | None
    catalogue: int

    def shortage(self, k: int) -> str | None:
        """What a list of `k` items would lack by this rule; None when nothing."""
        if self.in_stock is None or not self.matches:
            return None  # that no item meets `where` is said already
        if self.leaves is not None and self.leaves < self.catalogue and self.leaves < self._places(k):
            return f"leaves {self.leaves:,} of the {self.catalogue:,} items in stock; a list of {k} has {self._places(k)} places for them"
        if not self.in_stock:
            return f"none of its {self.matches:,} items is in stock"
        if self.in_stock < self._required(k):
            return f"has {self.in_stock:,} items in stock; in a list of {k} it asks for {self._required(k)} places"
        return None

    def _places(self, k: int) -> int:
        cap = self.rule.cap
        return min(k, cap.within) if cap is not None and cap.within is not None else k

    def _required(self, k: int) -> int:
        if self.rule.minimum_share is not None:
            return members_required(self.rule.minimum_share.share, k)
        return sum(position <= k for position in self.rule.reserve.positions) if self.rule.reserve is not None else 0


def rule_reach(entry: BookRule, bits: ItemBits, values: ItemValues) -> RuleReach:
    """Count for one rule of a book.

    Args:
        entry: the rule.
        bits: answers of the book's conditions about items.
        values: the catalogue.
    """
    available = values.items.available[1:]
    catalogue = int(np.count_nonzero(available))
    if entry.condition is None:
        held = np.ones(len(available), dtype=np.bool_)
    elif isinstance(entry.condition, OfItem):
        held = bits.of(entry.condition.bit, slice(1, None))
    else:
        return RuleReach(entry.rule, None, None, None, catalogue)
    in_stock = int(np.count_nonzero(held & available))
    leaves: int | None = catalogue
    if entry.rule.exclude:
        leaves = catalogue - in_stock
    elif entry.rule.cap is not None:
        leaves = _under_cap(entry.rule.cap, held & available, values)
        leaves = None if leaves is None else leaves + catalogue - in_stock
    return RuleReach(entry.rule, int(np.count_nonzero(held)), in_stock, leaves, catalogue)


def _under_cap(cap: CapPer, held: NDArray[np.bool_], values: ItemValues) -> int | None:
    """How many of the items of bool [n] one list may have; None for groups that depend on the request."""
    if cap.by not in ITEM_NAMES:
        return None
    rows = (np.flatnonzero(held) + 1).astype(np.int32)
    coded = values.coded(cap.by)
    group = coded[1][rows] if coded is not None else values.series(cap.by, rows).rank("dense").fill_null(0).to_numpy()
    known = group[group > 0]
    _, counts = np.unique(known, return_counts=True)
    return int(np.minimum(counts, cap.most).sum()) + len(group) - len(known)
