"""Slate: diversity and exploration make a finished list out of the candidates that the rules left."""

from dataclasses import dataclass

from endcap.core.settings import ExplorationSettings
from endcap.engine.exploration.policies import request_random
from endcap.engine.exploration.policy import Policy
from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.slate import Slate
from endcap.engine.surfaces.list_diversity import list_diversity
from endcap_transformer.path.resolving import ResolvedRequest
from endcap_transformer.path.rules import RuledCandidates


@dataclass(frozen=True)
class ExplorationConfig:
    """How lists explore.

    Attributes:
        policy: chooses what explored places show.
        settings: how much evidence an item needs, and the share of new items.
    """

    policy: Policy
    settings: ExplorationSettings


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
    slots, index, families = None, candidates.ranked.candidates.index, request.families
    tables, is_capped = request.served.tables, not request.is_given and not request.filters.categories
    if request.surface.exploration.share > 0:
        slots = ExploredSlots(
            policy=exploration.policy,
            evidence=request.served.evidence,
            index=index,
            random=request_random(request.request_id),
            share=request.surface.exploration.share,
            new_item_share=exploration.settings.new_item_share,
            evidence_impressions=exploration.settings.evidence_impressions,
            swap_share=exploration.settings.swap_share,
        )
    return assemble(
        candidates.score,
        k,
        placements=candidates.placements,
        diversity=list_diversity(
            request.surface.diversity, index, tables.items, request.served.category_levels, tables.item_embeddings, is_capped=is_capped
        ),
        families=None if families is None else families[index],
        page_families=request.page_families,
        exploration=slots,
    )
