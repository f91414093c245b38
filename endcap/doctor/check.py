"""A check: what the values need, why, and how to look whether it is there."""

from collections.abc import Callable
from dataclasses import dataclass

from endcap.doctor.cluster import Cluster
from endcap.doctor.finding import Finding, State


@dataclass(frozen=True)
class Outcome:
    """What one look found; fields as in `Finding`."""

    state: State
    found: str
    fix: str = ""


@dataclass(frozen=True)
class Check:
    """One need of the values.

    Attributes:
        look: asks the cluster; an error it raises makes the finding unknown. None when there is nothing to report.
        others: as in `Finding`.
    """

    part: str
    name: str
    needed: str
    because: str
    look: Callable[[Cluster], Outcome | None]

    def finding(self, outcome: Outcome) -> Finding:
        return Finding(
            part=self.part,
            check=self.name,
            needed=self.needed,
            because=self.because,
            found=outcome.found,
            state=outcome.state,
            fix=outcome.fix,
        )


def ok(found: str) -> Outcome:
    return Outcome(State.OK, found)


def gap(found: str, fix: str) -> Outcome:
    return Outcome(State.GAP, found, fix)


def warning(found: str, fix: str) -> Outcome:
    return Outcome(State.WARNING, found, fix)


def unknown(found: str, fix: str = "") -> Outcome:
    return Outcome(State.UNKNOWN, found, fix)
