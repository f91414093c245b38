"""Rules: what the merchandisers' rules do to the candidates of one request."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.rules.rule_effects import RuleEffects
from endcap_transformer.path.ranking import RankedCandidates
from endcap_transformer.path.sources.source import SourceRequest


def rule_effects(ranked: RankedCandidates, request: SourceRequest) -> RuleEffects:
    """The effects of the rules that hold on m ranked candidates."""
    served = request.resolved.served
    return served.rules.effects(
        request.rules,
        ranked.candidates,
        ranked.score,
        ranked.probabilities,
        served.tables.items,
        request.state.bought_before(ranked.candidates.index),
    )


def exclusion(request: SourceRequest) -> Callable[[NDArray[np.int32]], NDArray[np.bool_]]:
    """Says of items that no source brought which of them the rules exclude; rules about items alone are part of eligibility."""

    def excluded(index: NDArray[np.int32]) -> NDArray[np.bool_]:
        if not request.rules:
            return np.zeros(len(index), dtype=bool)
        cold = CandidateSet.of_nobody(index)
        return rule_effects(RankedCandidates(cold, cold.fused, {}), request).excluded

    return excluded
