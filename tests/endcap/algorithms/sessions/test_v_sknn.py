"""V-SkNN is the sum over the most similar visits that its definition says."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.algorithms.interactions import Interactions
from endcap.algorithms.sessions.v_sknn import VSknn
from tests.endcap.algorithms.made_data import interactions_of, training_data
from tests.properties import examples

ITEMS = 8
VISITS = st.lists(st.lists(st.integers(1, ITEMS), min_size=1, max_size=6), min_size=1, max_size=12)


def written_out(visits: Sequence[Sequence[int]], history: Sequence[int], algorithm: VSknn) -> list[float]:
    """A loop for each sum; all visits end at the same moment, so the first ones count as the newest."""
    place = {item: step / len(history) for step, item in enumerate(history, 1)}
    shared = [(sum(place[item] for item in set(visit) & set(history)), number) for number, visit in enumerate(visits)]
    newest = [found for found in shared if found[0] > 0][: algorithm.sample]
    scores = [0.0] * (ITEMS + 1)
    for similarity, number in sorted(newest, key=lambda found: (-np.float32(found[0]), found[1]))[: algorithm.neighbours]:
        visit = set(visits[number])
        back = min(steps for steps, item in enumerate(reversed(history)) if item in visit)
        for item in visit:
            rarity = np.log(len(visits) / sum(item in other for other in visits))
            scores[item] += similarity * max(1 - algorithm.decay * back, 0) * (1 + algorithm.idf * rarity)
    return scores


@given(visits=VISITS, history=st.lists(st.integers(1, ITEMS), min_size=1, max_size=6), sample=st.integers(1, 12))
@examples(60)
def test_scores_are_those_of_the_definition(visits: list[list[int]], history: list[int], sample: int) -> None:
    algorithm = VSknn(neighbours=1000, sample=sample)
    scores = algorithm.fit(training_data(visits, ITEMS), 1).scores(interactions_of([history, [1]], ITEMS))[0]
    expected = written_out(visits, history, algorithm)
    np.testing.assert_allclose(np.where(np.isfinite(scores), scores, 0), expected, rtol=1e-4, atol=1e-6)


def test_only_the_most_similar_visits_count() -> None:
    fitted = VSknn(neighbours=1).fit(training_data([[1, 5], [1, 2, 6]], ITEMS), 1)
    scores = fitted.scores(interactions_of([[1, 2]], ITEMS))[0]
    assert np.flatnonzero(np.isfinite(scores)).tolist() == [1, 2, 6]


def test_of_visits_that_share_an_item_the_newest_are_looked_at() -> None:
    data = training_data([[1, 5], [1, 6]], ITEMS)
    learned = data.interactions
    older = Interactions(learned.start, learned.item_index, np.array([9, 8, 2, 1], dtype=np.float32), ITEMS)
    fitted = VSknn(sample=1).fit(type(data)(older, None, data.attributes), 1)
    assert np.isneginf(fitted.scores(interactions_of([[1]], ITEMS))[0, 5])


@pytest.mark.parametrize("history", [[], [8]])
def test_a_visit_like_no_other_gets_nothing(history: list[int]) -> None:
    assert np.isneginf(VSknn().fit(training_data([[1, 5]], ITEMS), 1).scores(interactions_of([history], ITEMS))).all()
