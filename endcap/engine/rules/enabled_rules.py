"""The enabled rules of a file with their conditions read: what does not depend on a catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass

from endcap.core.sql_condition import ConditionReader, unknown_column
from endcap.engine.rules.active_rules import BookRule
from endcap.engine.rules.conditions.candidate_parts import CandidatePart, parts_by_slot
from endcap.engine.rules.conditions.columns import SCHEMA
from endcap.engine.rules.conditions.condition import ConditionParts, OfItem, narrowing_bit, parts_of
from endcap.engine.rules.file.rule_file import PickList, Rule, RuleFile
from endcap.engine.rules.schedule import Schedule

GIVING_ACTIONS = frozenset({"pin", "reserve", "minimum_share"})
"""Actions that give items a place, which they can only take as candidates."""

_PAGE = "docs/rules.md"


@dataclass(frozen=True)
class EnabledRules:
    """What a file says, whatever the catalogue.

    Attributes:
        file: the file.
        rules: enabled rules in the file's order.
        picks: enabled lists of picks in the file's order.
        parts: parts of all conditions; those of `exclude` rules come first, so that their bits lie together.
        candidate_parts: by slot.
        schedule: the `when` of the rules, then of the picks.
        giving: by number of a rule that gives places, a bit that all its items have.
    """

    file: RuleFile
    rules: tuple[BookRule, ...]
    picks: tuple[PickList, ...]
    parts: ConditionParts
    candidate_parts: tuple[CandidatePart, ...]
    schedule: Schedule
    giving: Mapping[int, int]

    @classmethod
    def of(cls, file: RuleFile) -> "EnabledRules":
        """Read every condition.

        Raises:
            InvalidInput: a `where` or `by` is not what rules may use; the message names the rule.
        """
        rules = [rule for rule in file.rules if rule.enabled]
        picks = tuple(picks for picks in file.picks if picks.enabled)
        parts, reader = ConditionParts(), ConditionReader(SCHEMA, _PAGE)
        conditions = {}
        for rule in sorted(rules, key=lambda rule: rule.exclude is None):
            if rule.cap is not None and rule.cap.by not in SCHEMA:
                raise unknown_column(rule.cap.by, f"{file.place(rule.id)}: cap.by", SCHEMA, _PAGE)
            if rule.where is not None:
                conditions[rule.id] = parts.add(reader.read(rule.where, f"{file.place(rule.id)}: where"))
        entries = tuple(BookRule(number, rule, conditions.get(rule.id)) for number, rule in enumerate(rules))
        schedule = Schedule([rule.when for rule in rules] + [entry.when for entry in picks])
        return cls(file, entries, picks, parts, parts_by_slot(parts.of_candidates), schedule, _giving(entries))

    @property
    def hiding_bits(self) -> int:
        """All bits that decide alone about excluding an item are below this."""
        bits = [entry.condition.bit for entry in self.rules if entry.rule.exclude and isinstance(entry.condition, OfItem)]
        return max(bits, default=-1) + 1

    def rule_of(self, bit: int) -> Rule:
        """The first rule whose condition has the bit."""
        return next(entry.rule for entry in self.rules if entry.condition is not None and bit in parts_of(entry.condition)[0])


def _giving(entries: tuple[BookRule, ...]) -> dict[int, int]:
    giving = {}
    for entry in entries:
        if entry.rule.action in GIVING_ACTIONS and entry.condition is not None:
            bit = narrowing_bit(entry.condition)
            if bit is not None:
                giving[entry.number] = bit
    return giving
