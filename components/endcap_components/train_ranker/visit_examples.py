"""Ranking examples of visits: what retrieval returned after an event of a visit, and which of it the next event was about."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.event import EventType
from endcap.contracts.signals import signal_code
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.features.columns import OBJECTIVES
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact
from endcap.training.training_set import TrainingSet, UsersAt
from endcap.training.visits import VisitMoments, visit_moments
from endcap_components.train_ranker.examples import RankingExamples, Retrieval, stacked

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
    visitors = UsersAt(at, moments.visit_ids, moments.states)
    retrieval = Retrieval(training, tables, two_tower, quotas, rng)
    return stacked([retrieval.window(visitors, partial(_labels, moments), np.zeros(len(moments), dtype=bool))], None)


def _labels(moments: VisitMoments, found: Sequence[CandidateSet]) -> NDArray[np.float32]:
    """float32 [m, len(OBJECTIVES)]: 1 for the next event's item, in the column of what it was."""
    sizes = [len(candidates) for candidates in found]
    index = np.concatenate([candidates.index for candidates in found])
    column = np.array([_OBJECTIVE.get(code, _VIEW) for code in moments.next_signal.tolist()], dtype=np.int64)
    hit = np.flatnonzero(index == np.repeat(moments.next_item, sizes))
    labels = np.zeros((len(index), len(OBJECTIVES)), dtype=np.float32)
    labels[hit, np.repeat(column, sizes)[hit]] = 1
    return labels
