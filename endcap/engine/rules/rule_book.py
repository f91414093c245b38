"""A rule file made ready for one catalogue."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.core.clock import Clock, system_clock
from endcap.core.errors import InvalidInput
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.rules.active_rules import ActiveRules
from endcap.engine.rules.bounded_cache import BoundedCache
from endcap.engine.rules.conditions.candidate_values import CandidateValues
from endcap.engine.rules.conditions.condition import OfItem
from endcap.engine.rules.conditions.item_bits import CannotAnswer, ItemBits, Pause, no_pause
from endcap.engine.rules.conditions.item_values import ItemValues
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.enabled_rules import EnabledRules
from endcap.engine.rules.file.rule_file import RuleFile
from endcap.engine.rules.rule_effects import RuleEffects
from endcap.engine.rules.rule_reach import RuleReach, rule_reach
from endcap.engine.rules.schedule import Key

ITEMS_A_RULE = 50
_BLOCK = 65_536


def required_items(
    bits: ItemBits, wanted: Collection[int], order: NDArray[np.int32], available: NDArray[np.bool_]
) -> Mapping[int, NDArray[np.int32]]:
    """For each condition its items in stock that are bought most.

    Args:
        bits: the conditions' answers.
        wanted: conditions by bit.
        order: int32 [n], items in the order in which they are taken.
        available: bool [n + 1].

    Returns:
        By bit, int32 [at most ITEMS_A_RULE].
    """
    found: dict[int, list[NDArray[np.int32]]] = {bit: [] for bit in wanted}
    missing = dict.fromkeys(wanted, ITEMS_A_RULE)
    for start in range(0, len(order), _BLOCK):
        open_bits = [bit for bit, count in missing.items() if count]
        if not open_bits:
            break
        block = order[start : start + _BLOCK]
        block = block[available[block]]
        for bit in open_bits:
            taken = block[np.flatnonzero(bits.of(bit, block))[: missing[bit]]]
            found[bit].append(taken)
            missing[bit] -= len(taken)
    return {bit: np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32) for bit, parts in found.items()}


ACTIVE_KEPT = 256
MASKS_KEPT = 8
"""Each is as large as the catalogue, a byte an item."""
NO_ITEMS: NDArray[np.int32] = np.zeros(0, dtype=np.int32)


class RuleBook:
    """The rules of one file over one catalogue. Made by `compile` and `recompiled`, in any thread; asked in one thread."""

    def __init__(self, enabled: EnabledRules, values: ItemValues, bits: ItemBits, order: NDArray[np.int32] | None, clock: Clock) -> None:
        self._enabled, self._values, self._bits, self._order, self._clock = enabled, values, bits, order, clock
        self._hidden_planes = np.ascontiguousarray(bits.packed[:, : -(-enabled.hiding_bits // 8)].T)
        self._required = _required_by_rule(enabled, bits, order, values.items)
        self._picks = [values.items.ids.codes(picks.items) for picks in enabled.picks]
        self._active: BoundedCache[Key, ActiveRules] = BoundedCache(ACTIVE_KEPT)
        self._masks: BoundedCache[tuple[int, ...], NDArray[np.bool_]] = BoundedCache(MASKS_KEPT)
        self._nothing = ActiveRules((), (), NO_ITEMS, NO_ITEMS)
        self.version = enabled.file.name
        self.rules = tuple((entry.rule.id, entry.rule.action) for entry in enabled.rules)
        """Id and action of every enabled rule, in the file's order."""

    @classmethod
    def compile(cls, rules: RuleFile | EnabledRules, items: ItemTable, clock: Clock = system_clock, pause: Pause = no_pause) -> "RuleBook":
        """Make a file ready.

        Args:
            rules: a file, or its enabled rules with their conditions read.
            items: the catalogue.
            clock: the moment that `age_days` counts to.
            pause: called between pieces of work, for a book that is made beside requests.

        Raises:
            InvalidInput: a `where` or `by` cannot be used; the message names the rule.
        """
        enabled = rules if isinstance(rules, EnabledRules) else EnabledRules.of(rules)
        values = ItemValues.of(items, int(clock().timestamp()))
        try:
            bits = ItemBits.work_out(enabled.parts.of_items, values, pause)
        except CannotAnswer as error:
            rule = enabled.rule_of(error.bit)
            raise InvalidInput(
                str(error), field=f"{enabled.file.place(rule.id)}: where", value=rule.where, fix="correct the condition"
            ) from None
        return cls(enabled, values, bits, items.by_purchases if enabled.giving else None, clock)

    @property
    def file(self) -> RuleFile:
        return self._enabled.file

    @property
    def enabled(self) -> EnabledRules:
        """What the file says, whatever the catalogue."""
        return self._enabled

    @property
    def as_of_s(self) -> int:
        """The moment that ages are counted to, UTC epoch seconds."""
        return self._values.now_s

    @property
    def reads_age(self) -> bool:
        """Whether a rule depends on the items' age, so that time alone changes what it holds for."""
        return any("age_days" in condition.meta.root_names() for condition in self._bits.conditions)

    def recompiled(self, items: ItemTable, pause: Pause = no_pause) -> "RuleBook":
        """The same file for a changed catalogue, now; what did not change is not worked out again.

        Raises:
            InvalidInput: as `compile`.
        """
        values = self._values.updated(items, int(self._clock().timestamp()))
        if values.brands is not self._values.brands or len(items) != len(self._values.items):
            return RuleBook.compile(self._enabled, items, self._clock, pause)
        bits = self._bits.updated(self._values, values, pause)
        same_purchases = items.numeric is self._values.items.numeric
        order = self._order if same_purchases or self._order is None else items.by_purchases
        book = RuleBook(self._enabled, values, bits, order, self._clock)
        for hiding in self._masks.kept():
            book._hidden(hiding)
        return book

    def active(self, context: RuleContext) -> ActiveRules:
        """The rules and picks that hold for a request."""
        if not self._enabled.rules and not self._picks:
            return self._nothing
        key = self._enabled.schedule.key(context)
        return self._active.get(key, lambda: self._arranged(key))

    def excluded(self, active: ActiveRules) -> NDArray[np.bool_] | None:
        """bool [n + 1]: items that no list may show while these rules hold; None when there are none.

        Rules that need to know the request's candidates are not among them; `effects` applies those.
        """
        return self._hidden(active.hiding) if active.hiding else None

    def picks(self, active: ActiveRules) -> NDArray[np.int32]:
        """int32 [p], distinct: items of the editor's picks, the earlier list first."""
        return active.picks

    def required(self, active: ActiveRules) -> NDArray[np.int32]:
        """int32 [q], distinct: items that rules give places to, the most bought of each rule."""
        return active.required

    def effects(  # noqa: PLR0917 - what a request knows by now
        self,
        active: ActiveRules,
        candidates: CandidateSet,
        score: NDArray[np.float32],
        probabilities: Mapping[str, NDArray[np.float32]],
        items: ItemTable,
        bought_before: NDArray[np.bool_],
    ) -> RuleEffects:
        """What the rules do to m candidates.

        Args:
            active: the rules that hold.
            candidates: m candidates in any order.
            score: float32 [m], positive, higher is better.
            probabilities: by objective, float32 [m]; empty when the ranker did not answer.
            items: the catalogue that answers; of the same bundle as the book's.
            bought_before: bool [m], whether the person bought the item before.
        """
        values = CandidateValues(candidates, score, probabilities, bought_before, self._values.updated(items, self._values.now_s))
        return active.effects(values, self._bits)

    def reaches(self) -> list[RuleReach]:
        """For each enabled rule, in the file's order, how much of the catalogue it is about and leaves. Walks the whole catalogue."""
        return [rule_reach(entry, self._bits, self._values) for entry in self._enabled.rules]

    def warnings(self) -> list[str]:
        """What is no fault but may be a mistake: conditions that no item meets, picks that the catalogue does not know."""
        messages = [
            f"{self.file.place(entry.rule.id)}: no item of the catalogue meets its `where`"
            for entry in self._enabled.rules
            if isinstance(entry.condition, OfItem) and not self._bits.of(entry.condition.bit, slice(None)).any()
        ]
        for picks, index in zip(self._enabled.picks, self._picks, strict=True):
            unknown = [item for item, code in zip(picks.items, index.tolist(), strict=True) if not code]
            if unknown:
                messages.append(f"{self.file.place(picks.id)}: not in the catalogue: {', '.join(unknown[:5])}")
        return messages

    def _arranged(self, key: Key) -> ActiveRules:
        holding = self._enabled.schedule.holding(key)
        rules = [self._enabled.rules[number] for number in holding if number < len(self._enabled.rules)]
        picks = [self._picks[number - len(self._enabled.rules)] for number in holding if number >= len(self._enabled.rules)]
        required = [self._required[entry.number] for entry in rules if entry.number in self._required]
        return ActiveRules(rules, self._enabled.candidate_parts, _distinct(picks), _distinct(required))

    def _hidden(self, hiding: tuple[int, ...]) -> NDArray[np.bool_]:
        return self._masks.get(hiding, lambda: self._mask(hiding))

    def _mask(self, hiding: tuple[int, ...]) -> NDArray[np.bool_]:
        wanted = np.zeros(len(self._hidden_planes), dtype=np.uint8)
        for bit in hiding:
            wanted[bit >> 3] |= 1 << (bit & 7)
        mask = np.zeros(self._hidden_planes.shape[1], dtype=np.bool_)
        for plane in np.flatnonzero(wanted):
            mask |= (self._hidden_planes[plane] & wanted[plane]) != 0
        return mask


def _required_by_rule(
    enabled: EnabledRules, bits: ItemBits, order: NDArray[np.int32] | None, items: ItemTable
) -> dict[int, NDArray[np.int32]]:
    """By rule number, int32 [at most 50]."""
    if order is None:
        return {}
    by_bit = required_items(bits, set(enabled.giving.values()), order, items.available)
    return {number: by_bit[bit] for number, bit in enabled.giving.items()}


def _distinct(lists: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """int32 [p]: known items of several lists, each once, in order."""
    if not lists:
        return NO_ITEMS
    together = np.concatenate(lists)
    _, first = np.unique(together, return_index=True)
    kept = together[np.sort(first)]
    return kept[kept > 0]
