"""Visits that come back to their items get them, and others what visits like them hold."""

import numpy as np

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap_benchmarks.quality.models.visit_blend import OwnRecentScores, VisitBlend

ITEMS, VISITS = 24, 160


def visits(*, come_back: bool) -> Interactions:
    """Four events among the items of one of two kinds; the last is the first item again, or a new one."""
    rng = np.random.default_rng(3)
    drawn = np.stack([rng.permutation(12)[:4] + 1 + 12 * (visit % 2) for visit in range(VISITS)]).astype(np.int32)
    if come_back:
        drawn[:, 3] = drawn[:, 0]
    age = np.tile(np.array([0.3, 0.2, 0.1, 0.0], dtype=np.float32), VISITS)
    return Interactions(np.arange(VISITS + 1, dtype=np.int64) * 4, drawn.ravel(), age, ITEMS)


def own_share(interactions: Interactions) -> float:
    """Share of the first three places that are the visit's own items, over visits of two events."""
    data = TrainingData(interactions, None, np.zeros((ITEMS + 1, 0), dtype=np.int32))
    asked = interactions.where(np.arange(len(interactions)) % 4 < 3)
    scores = VisitBlend().fit(data, seed=1).scores(asked)
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]
    own = asked.item_index.reshape(VISITS, 3)
    return float((best[:, :, None] == own[:, None, :]).any(axis=2).mean())


def test_own_items_stand_where_visits_come_back_and_not_where_they_go_on() -> None:
    assert own_share(visits(come_back=True)) > 0.8
    assert own_share(visits(come_back=False)) < 0.2


def test_own_items_are_ordered_by_their_newest_event_however_old_the_visit_is() -> None:
    for days_ago in (0, 300):
        history = Interactions(np.array([0, 3]), np.array([5, 7, 5], dtype=np.int32), np.array([0.2, 0.1, 0], np.float32) + days_ago, ITEMS)
        scores = OwnRecentScores(0.1).scores(history)[0]
        assert scores[5] > scores[7] > 0 == scores[1]
