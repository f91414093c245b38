"""What every candidate source is: a name, a quota, a deadline, and a way to find candidates."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.user_state import UserState
from endcap.engine.rules.active_rules import ActiveRules
from endcap_transformer.path.eligibility import Eligibility
from endcap_transformer.path.query import Query
from endcap_transformer.path.resolving import ResolvedRequest


@dataclass(frozen=True)
class SourceRequest:
    """What a source may look at.

    Attributes:
        query: None when nothing is known of the person, or when the model server did not answer.
        segments: segments the person is in, the most telling first.
        session_bought: int32 [b], items bought in this visit.
        rules: the rules that hold for the request.
    """

    resolved: ResolvedRequest
    state: UserState
    query: Query | None
    eligible: Eligibility
    segments: list[str]
    session_bought: NDArray[np.int32]
    rules: ActiveRules


Find = Callable[[SourceRequest, int], Candidates | Awaitable[Candidates]]
"""Finds at most so many eligible candidates: at once from memory, or as something to wait for until the deadline."""


@dataclass(frozen=True)
class Source:
    """One source as one surface uses it.

    Attributes:
        quota: most candidates; None for what the bundle's ranker was trained with.
        deadline_ms: after this an answer that has to be waited for is left out.
        is_remote: whether it calls another part; then it is started before the sources in memory.
    """

    name: str
    quota: int | None
    deadline_ms: float
    find: Find
    is_remote: bool = False

    def candidates(self, request: SourceRequest) -> Candidates | Awaitable[Candidates]:
        """Eligible candidates, best first."""
        quota = self.quota if self.quota is not None else request.resolved.served.trained_quota(self.name)
        return self.find(request, quota) if quota else Candidates.none()
