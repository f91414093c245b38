"""Listing: rules, diversity and exploration make a finished list out of ranked candidates."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.core.settings import ExplorationSettings
from endcap.engine.exploration.policies import request_random
from endcap.engine.exploration.policy import Policy
from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.rules.rule_effects import RuleEffects
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.diversity import Diversity
from endcap.engine.slate.placements import Placements
from endcap.engine.slate.slate import Slate
from endcap_transformer.path.ranking import RankedCandidates
from endcap_transformer.path.resolving import ResolvedRequest


@dataclass(frozen=True)
class ExplorationConfig:
    """How lists explore.

    Attributes:
        policy: chooses what explored places show.
        random: where each request's own randomness comes from.
    """

    policy: Policy
    settings: ExplorationSettings


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


def ruled(ranked: RankedCandidates, effects: RuleEffects) -> RuledCandidates:
    """Apply what the rules do to scores, and leave out what they exclude."""
    score = ranked.score * effects.factor
    if not effects.excluded.any():
        return RuledCandidates(ranked, score, np.arange(len(score)), effects, effects.placements)
    rows = np.flatnonzero(~effects.excluded)
    return RuledCandidates(ranked.take(rows), score[rows], rows, effects, effects.placements.over(rows))


def slate_of(
    candidates: RuledCandidates,
    request: ResolvedRequest,
    k: int,
    exploration: ExplorationConfig,
) -> Slate:
    """The list: placements first, then diversity, then the places that explore.

    Args:
        candidates: m candidates.
        request: its surface says how diverse the list is and how much it explores.
        k: places wanted.
        exploration: how it explores.
    """
    slots = None
    if request.surface.exploration.share > 0:
        slots = ExploredSlots(
            policy=exploration.policy,
            evidence=request.served.evidence,
            index=candidates.ranked.candidates.index,
            random=request_random(request.request_id),
            share=request.surface.exploration.share,
            new_item_share=exploration.settings.new_item_share,
            evidence_impressions=exploration.settings.evidence_impressions,
        )
    return assemble(
        candidates.score,
        k,
        placements=candidates.placements,
        diversity=_diversity(candidates.ranked.candidates.index, request),
        exploration=slots,
    )


def _diversity(index: NDArray[np.int32], request: ResolvedRequest) -> Diversity | None:
    wanted, tables = request.surface.diversity, request.served.tables
    most = None if request.is_given or request.instance.filters.categories else wanted.category_most
    if not wanted.mmr and most is None:
        return None
    return Diversity(
        strength=wanted.mmr,
        # The last dimension evens out the lengths, which say how well items sell; likeness is in the others.
        embeddings=lambda rows: tables.item_embeddings[index[rows], :-1],
        group=None if most is None else tables.items.category_codes[index, wanted.category_level - 1],
        most=most,
    )
