"""Ranking examples of visits: what retrieval returned after an event of a visit, and which of it the next event was about."""

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.event import EventType
from endcap.contracts.signals import signal_code
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.features.columns import OBJECTIVES
from endcap.training.candidates import candidate_sets
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap.training.visits import VisitMoments, visit_moments
from endcap_components.train_ranker.examples import RankingExamples, WindowExamples, random_contexts, stacked

MOMENTS_MAX = 1500
"""All candidates of each are kept, since each is judged."""

_VIEW = OBJECTIVES.index("view")
_OBJECTIVE = {
    signal_code(EventType.PURCHASE): OBJECTIVES.index("buy"),
    signal_code(EventType.ADD_TO_CART): OBJECTIVES.index("cart"),
}
"""By code, the column of the next event; whatever else it was, the item was looked at."""


def visit_examples(
    training: TrainingSet,
    tables: TablesArtifact,
    two_tower: TwoTowerArtifact,
    quotas: RetrievalSettings,
    *,
    seed: int,
) -> RankingExamples:
    """Run retrieval at moments of the visits between the first ranking window and the cut, as serving would have then.

    Args:
        training: with a ranking window; it had learned nothing of these visits.
        tables: as of the window.
        two_tower: its targets ended before the window.
        quotas: candidates a source and in all, as in serving.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    at, until = training.manifest.ranking_windows[0], training.manifest.cut
    moments = visit_moments(training, at, until, MOMENTS_MAX, rng)
    context = random_contexts(len(moments), at.month, rng)
    queries, embeddings, at_moment = two_tower.encode(moments.states, context), two_tower.item_embeddings_at(at), tables.at(at)
    found = candidate_sets(moments.states, queries, embeddings, at_moment, quotas, training.eligible_at(at), training.user_vocabularies)
    is_new = [~state.bought_before(each.index) for state, each in zip(moments.states, found, strict=True)]
    window = WindowExamples(
        user_ids=moments.visit_ids,
        query_embedding=queries,
        states=moments.states,
        context=context,
        candidates=found,
        items=training.items_at(at),
        item_embedding=embeddings,
        neighbours=at_moment.neighbours,
        labels=_labels(moments, found),
        weight=np.ones(sum(map(len, found)), dtype=np.float32),
        is_new=np.concatenate(is_new),
        held_out=np.zeros(len(moments), dtype=bool),
    )
    return stacked([window], None)


def _labels(moments: VisitMoments, found: list[CandidateSet]) -> NDArray[np.float32]:
    """float32 [m, len(OBJECTIVES)]: 1 for the next event's item, in the column of what it was."""
    sizes = [len(candidates) for candidates in found]
    index = np.concatenate([candidates.index for candidates in found])
    column = np.array([_OBJECTIVE.get(code, _VIEW) for code in moments.next_signal.tolist()], dtype=np.int64)
    hit = np.flatnonzero(index == np.repeat(moments.next_item, sizes))
    labels = np.zeros((len(index), len(OBJECTIVES)), dtype=np.float32)
    labels[hit, np.repeat(column, sizes)[hit]] = 1
    return labels
