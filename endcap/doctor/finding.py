"""What the doctor reports: one finding a check, and all of them with the cluster they are about. Their JSON is stable."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class State(StrEnum):
    """How a need is met.

    `warning`: it may not be met, or works less well than it could; `unknown`: it could not be looked at.
    """

    OK = "ok"
    GAP = "gap"
    WARNING = "warning"
    UNKNOWN = "unknown"


class Finding(BaseModel):
    """One row.

    Attributes:
        part: whom it is about, for example `KServe`.
        check: name of the check, the same in every run.
        needed: what the values need.
        because: the values that need it.
        found: what is there, or why it could not be looked at.
        state: how the need is met.
        fix: what to do; empty when there is nothing to do.
    """

    model_config = ConfigDict(frozen=True)

    part: str
    check: str
    needed: str
    because: str
    found: str
    state: State
    fix: str = ""


class Report(BaseModel):
    """All findings about one release on one cluster.

    Attributes:
        format: of this document; another number when a field changes its meaning.
        kubernetes: version of the API server.
        counts: findings by state, every state included.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    namespace: str
    release: str
    chart_version: str
    kubernetes: str
    counts: dict[State, int]
    findings: tuple[Finding, ...]


def counted(findings: Iterable[Finding]) -> dict[State, int]:
    """How many findings have each state."""
    states = [each.state for each in findings]
    return {state: states.count(state) for state in State}
