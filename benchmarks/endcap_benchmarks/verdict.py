"""A benchmark's goals: one figure against one limit."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One goal on one figure; `met` is None when the figure was not measured."""

    goal: str
    where: str
    value: float | None
    limit: str
    met: bool | None


def below(goal: str, where: str, value: float | None, limit: float, unit: str = "") -> Verdict:
    """Met below the limit.

    Args:
        goal: what is asked for.
        where: what the figure is of.
        value: in `unit`; None when it was not measured.
        limit: in `unit`.
        unit: empty for a plain number.
    """
    return Verdict(goal, where, value, f"< {limit:g} {unit}".rstrip(), None if value is None else value < limit)


def at_most(goal: str, where: str, value: float | None, limit: float, unit: str = "") -> Verdict:
    """As `below`; met at the limit too."""
    return Verdict(goal, where, value, f"<= {limit:g} {unit}".rstrip(), None if value is None else value <= limit)


def at_least(goal: str, where: str, value: float | None, limit: float, unit: str = "") -> Verdict:
    """As `below`; met from the limit on."""
    return Verdict(goal, where, value, f">= {limit:g} {unit}".rstrip(), None if value is None else value >= limit)
