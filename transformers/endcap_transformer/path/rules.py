"""Rules: what the merchandisers' rules do to the candidates of one request."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.rules.rule_effects import RuleEffects
from endcap.engine.slate.placements import Placements
from endcap_transformer.path.ranking import RankedCandidates
from endcap_transformer.path.sources.source import SourceRequest


@dataclass(frozen=True)
class RuledCandidates:
    """m candidates after the rules' effects on their scores, without those that a rule excludes.

    Attributes:
        ranked: as the ranker left them.
        score: float32 [m], with boosts and buries.
        rows: intp [m], rows of `effects`.
        placements: what the rules ask of the list, over the same m.
    """

    ranked: RankedCandidates
    score: NDArray[np.float32]
    rows: NDArray[np.intp]
    effects: RuleEffects
    placements: Placements


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


def apply_rules(ranked: RankedCandidates, effects: RuleEffects) -> RuledCandidates:
    """Apply what the rules do to scores, and leave out what they exclude."""
    score = ranked.score * effects.factor
    if not effects.excluded.any():
        return RuledCandidates(ranked, score, np.arange(len(score)), effects, effects.placements)
    rows = np.flatnonzero(~effects.excluded)
    return RuledCandidates(ranked.take(rows), score[rows], rows, effects, effects.placements.over(rows))


def exclusion(request: SourceRequest) -> Callable[[NDArray[np.int32]], NDArray[np.bool_]]:
    """Says of items that no source brought which of them the rules exclude; rules about items alone are part of eligibility."""

    def excluded(index: NDArray[np.int32]) -> NDArray[np.bool_]:
        if not request.rules:
            return np.zeros(len(index), dtype=bool)
        unsourced = CandidateSet.unsourced(index)
        return rule_effects(RankedCandidates(unsourced, unsourced.fused, {}), request).excluded

    return excluded
