"""Ranking: one `rank` call for all candidates, and the value of showing each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.signatures import RANK
from endcap.engine.ranking.pair_features import pair_features
from endcap.engine.ranking.value import value_scores
from endcap.engine.retrieval.candidates import SOURCES, CandidateSet
from endcap.engine.surfaces.surface import Surface
from endcap_transformer.clients.model_server_client import PredictCall, checked
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.query import Person, Query
from endcap_transformer.path.resolving import ResolvedRequest

SHARPNESS: Mapping[str, int] = {"two_tower": 2}
"""Powers of sources whose scores lie close together: most items are somewhat alike in the embedding space."""

_TWO_TOWER = SOURCES.index("two_tower")


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

    def __len__(self) -> int:
        return len(self.score)

    def take(self, rows: NDArray[np.intp]) -> "RankedCandidates":
        """Some of them, in the order of `rows`."""
        return RankedCandidates(
            self.candidates.keep(rows), self.score[rows], {name: values[rows] for name, values in self.probabilities.items()}
        )


async def rank_probabilities(
    client: PredictCall, candidates: CandidateSet, request: ResolvedRequest, person: Person, query: Query
) -> dict[str, NDArray[np.float32]]:
    """One probability per objective and candidate, float32 [m] each.

    Raises:
        DependencyUnavailable: the model server does not answer, or answers something else.
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
            "pair_numeric": pair_features(person.state, candidates, items, served.tables.neighbours),
        },
    )
    return {name: checked(outputs, name, (len(candidates),)) for name in served.manifest.objectives}


def with_query_scores(candidates: CandidateSet, query: Query, served: ServedBundle) -> CandidateSet:
    """The two-tower's scores as the ranker was trained with them, of the person, where the search was for a page's items."""
    scores = candidates.scores.copy()
    brought = candidates.brought[:, _TWO_TOWER]
    scores[brought, _TWO_TOWER] = served.tables.item_embeddings[candidates.index[brought]] @ query.embedding
    return replace(candidates, scores=scores)


def rank_by_value(candidates: CandidateSet, probabilities: Mapping[str, NDArray[np.float32]], request: ResolvedRequest) -> RankedCandidates:
    """Order candidates by the surface's value expression, and on a page by closeness to it; by fused retrieval rank without probabilities.

    Args:
        candidates: m candidates.
        probabilities: by objective, float32 [m], or empty.
        request: its surface says how.
    """
    surface, items, index = request.surface, request.served.tables.items, candidates.index
    value = request.served.value_of(surface)
    score = value_scores(probabilities, value, items.margin[index], items.price[index]) if probabilities else candidates.fused
    if surface.closeness and request.is_page:
        close = page_closeness(candidates, surface)
        score = close * score**surface.closeness_value if probabilities else close
    best_first = np.argsort(-score, kind="stable")
    return RankedCandidates(candidates, score.astype(np.float32, copy=False), probabilities).take(best_first)


def page_closeness(candidates: CandidateSet, surface: Surface) -> NDArray[np.float32]:
    """How close each candidate is to the page's items, float32 [m] in [0, 1]: by the source that says most, at the surface's weight."""
    closeness = np.zeros(len(candidates), dtype=np.float32)
    for source, weight in surface.closeness.items():
        share = _share_of_best(np.maximum(candidates.score_of(source), 0)) ** SHARPNESS.get(source, 1)
        np.maximum(closeness, np.float32(weight) * share, out=closeness)
    return closeness


def _share_of_best(score: NDArray[np.float32]) -> NDArray[np.float32]:
    best = float(score.max(initial=0.0))
    return score / np.float32(best) if best > 0 else np.zeros_like(score)
