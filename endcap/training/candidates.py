"""Candidates of many users at once: the same sources and union as in serving, with exact search in the place of the index."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.signals import PURCHASE_CODE
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.buy_again import buy_again_candidates
from endcap.engine.retrieval.candidates import Candidates, CandidateSet, union
from endcap.engine.retrieval.ease import ease_candidates
from endcap.engine.retrieval.item_to_item import item_to_item_candidates
from endcap.engine.retrieval.left_in_cart import left_in_cart_candidates
from endcap.engine.retrieval.ordering import recently_viewed_candidates
from endcap.engine.retrieval.popular import popular_candidates, segments_of
from endcap.engine.retrieval.user_state import UserState
from endcap.training.moment_tables import MomentTables

QUERIES_A_BLOCK = 256
RECENTLY_VIEWED_QUOTA = 20
"""As the surface home has it."""


def candidate_sets(  # noqa: PLR0917
    states: Sequence[UserState],
    query_embeddings: NDArray[np.float32],
    item_embeddings: NDArray[np.float32],
    tables: MomentTables,
    quotas: RetrievalSettings,
    eligible: NDArray[np.bool_],
    user_vocabularies: Mapping[str, Vocabulary],
) -> list[CandidateSet]:
    """What retrieval returns for each user, eligible items only.

    Args:
        states: u users as of one moment.
        query_embeddings: float32 [u, dim].
        item_embeddings: float32 [n + 1, dim], as of the moment.
        tables: what the sources read, as of the moment.
        quotas: candidates a source and in all.
        eligible: bool [n + 1].
        user_vocabularies: by USER_CATEGORICAL column, to name segments.
    """
    nothing = np.zeros(0, dtype=np.int32)

    def may_be_shown(index: NDArray[np.int32]) -> NDArray[np.bool_]:
        return eligible[index]

    sets = []
    nearest = nearest_items(query_embeddings, item_embeddings, eligible, quotas.two_tower_quota)
    for state, two_tower in zip(states, nearest, strict=True):
        segments = segments_of(state.categories, user_vocabularies)
        by_source = {
            "two_tower": two_tower,
            "item_to_item": item_to_item_candidates(tables.item_to_item, state, nothing, may_be_shown, quotas.item_to_item_quota),
            "buy_again": buy_again_candidates(tables.repurchase_gap_days, state, may_be_shown, quotas.buy_again_quota),
            "popular": popular_candidates(tables.popularity, segments, may_be_shown, quotas.popular_quota),
            "left_in_cart": left_in_cart_candidates(state, may_be_shown, quotas.left_in_cart_quota),
            "ease": ease_candidates(tables.ease, state, nothing, may_be_shown, quotas.ease_quota),
            "recently_viewed": _seen_in_visit(state),
        }
        sets.append(union(by_source, quotas.candidates_max))
    return sets


def _seen_in_visit(state: UserState) -> Candidates:
    """The visit's own items, also those that nobody had had to do with before it."""
    happened = state.history_signal[len(state.history) - len(state.session) :]
    bought = state.session[happened == PURCHASE_CODE]
    return recently_viewed_candidates(state.session, bought, lambda index: np.ones(len(index), dtype=bool), RECENTLY_VIEWED_QUOTA)


def nearest_items(
    query_embeddings: NDArray[np.float32], item_embeddings: NDArray[np.float32], eligible: NDArray[np.bool_], quota: int
) -> Iterator[Candidates]:
    """The eligible items with the highest inner product, exactly, for one query after the other.

    Args:
        query_embeddings: float32 [u, dim].
        item_embeddings: float32 [n + 1, dim].
        eligible: bool [n + 1].
        quota: items a query.
    """
    index = np.flatnonzero(eligible).astype(np.int32)
    transposed = np.ascontiguousarray(item_embeddings[index].T)
    quota = min(quota, len(index))
    for start in range(0, len(query_embeddings), QUERIES_A_BLOCK):
        scores = query_embeddings[start : start + QUERIES_A_BLOCK] @ transposed
        for row in scores:
            yield Candidates.best(index, row, quota)
