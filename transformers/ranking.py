"""Ranking: one `rank` call for all candidates, and the final score."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.signatures import RANK
from endcap.ranking.pair_features import pair_features
from endcap.ranking.value import value_scores
from endcap.retrieval.candidates import SOURCES, CandidateSet
from transformers.model_server_client import ModelServerClient
from transformers.query import Person, Query
from transformers.resolving import ResolvedRequest
from transformers.served_bundle import ServedBundle

VALUE_EXPONENTS: Mapping[str, float] = {"buy": 1.0}
"""The value of showing an item: its probability of being bought."""

PAGE_VALUE_EXPONENT = 0.25
"""How far value counts beside closeness to the page's items. At 1 a household's staples, a hundred times likelier to be bought than
what goes with the page, would stand on every page."""

PAGE_TWO_TOWER_SHARE = 0.35
"""Being alike in the embedding space counts for so much of being bought together: enough for items that nobody has bought yet."""

_TWO_TOWER = SOURCES.index("two_tower")
_ITEM_TO_ITEM = SOURCES.index("item_to_item")


@dataclass(frozen=True)
class RankedCandidates:
    """m candidates, best first.

    Attributes:
        candidates: in that order.
        score: float32 [m], descending.
        probabilities: by objective, float32 [m]; empty when the ranker did not answer.
    """

    candidates: CandidateSet
    score: NDArray[np.float32]
    probabilities: Mapping[str, NDArray[np.float32]]


async def rank_probabilities(
    client: ModelServerClient, candidates: CandidateSet, request: ResolvedRequest, person: Person, query: Query
) -> dict[str, NDArray[np.float32]]:
    """One probability per objective and candidate, float32 [m] each.

    Raises:
        DependencyUnavailable: the model server does not answer.
    """
    served = request.served
    items = served.tables.items
    outputs = await client.predict(
        RANK,
        served.manifest.version,
        {
            "query_embedding": query.embedding[None, :],
            "user_numeric": person.user_numeric,
            "user_categories": person.user_categories,
            "context": person.context,
            "query_row": np.zeros(len(candidates), dtype=np.int32),
            "item_index": candidates.index,
            "item_numeric": items.numeric[candidates.index],
            "pair_numeric": pair_features(person.state, candidates, items),
        },
    )
    return {objective: outputs[objective] for objective in served.manifest.objectives}


def with_query_scores(candidates: CandidateSet, query: Query, served: ServedBundle) -> CandidateSet:
    """The two-tower's scores as the ranker was trained with them, of the person, where the search was for a page's items."""
    scores = candidates.scores.copy()
    brought = candidates.brought[:, _TWO_TOWER]
    scores[brought, _TWO_TOWER] = served.tables.item_embeddings[candidates.index[brought]] @ query.embedding
    return replace(candidates, scores=scores)


def order(
    candidates: CandidateSet, probabilities: Mapping[str, NDArray[np.float32]], closeness: NDArray[np.float32] | None
) -> RankedCandidates:
    """Order candidates by value; by fused retrieval rank without probabilities.

    Args:
        candidates: m candidates.
        probabilities: by objective, float32 [m], or empty.
        closeness: float32 [m] in [0, 1] on a product page or in a cart, see `page_closeness`.
    """
    score = value_scores(probabilities, VALUE_EXPONENTS) if probabilities else candidates.fused
    if closeness is not None:
        score = closeness * score**PAGE_VALUE_EXPONENT if probabilities else closeness
    best_first = np.lexsort((candidates.index, -score))
    return RankedCandidates(
        candidates=candidates.keep(best_first),
        score=score[best_first].astype(np.float32),
        probabilities={objective: values[best_first] for objective, values in probabilities.items()},
    )


def page_closeness(candidates: CandidateSet) -> NDArray[np.float32]:
    """How close each candidate is to the page's items, float32 [m] in [0, 1]: bought together, else alike in the embedding space."""
    together, alike = candidates.scores[:, _ITEM_TO_ITEM], np.maximum(candidates.scores[:, _TWO_TOWER], 0)
    closeness: NDArray[np.float32] = np.maximum(_share_of_best(together), PAGE_TWO_TOWER_SHARE * _share_of_best(alike) ** 2)
    return closeness


def _share_of_best(score: NDArray[np.float32]) -> NDArray[np.float32]:
    best = float(score.max(initial=0.0))
    return score / np.float32(best) if best > 0 else np.zeros_like(score)
