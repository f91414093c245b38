"""Lists of visits are worth what their place of the next item says, visit by visit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.evaluation import FULL, ORDERED, RANKER, VISIT_METRIC, Ordering
from endcap.evaluation.accuracy import accuracy
from endcap.evaluation.ranked_lists import RankedLists
from endcap.evaluation.user_items import UserItems
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.visit_lists import HIT, LIST_K, RANK, K, judge_visits, means_of_visits, next_metrics
from tests.endcap.training.made_artifacts import QUOTAS, ranker_dir, tables_dir, training_dir, two_tower_dir
from tests.properties import examples


def listed(*places: int) -> RankedLists:
    """Lists of items that nobody wants but for item 1, at a place from 1 of each; 0 for lists without it."""
    items = np.arange(2, LIST_K + 2, dtype=np.int32) * np.ones((len(places), 1), dtype=np.int32)
    for row, place in enumerate(places):
        if place:
            items[row, place - 1] = 1
    return RankedLists(items)


@given(places=st.lists(st.integers(0, LIST_K), min_size=1, max_size=20))
@examples(60)
def test_figures_are_those_of_a_truth_of_one_item(places: list[int]) -> None:
    rows = np.arange(len(places))
    found = next_metrics(np.ones(len(places), dtype=np.int32), listed(*places))
    hits = listed(*places).hits(UserItems(rows, np.ones(len(places), dtype=np.int32), len(places)))
    counts = np.ones(len(places), dtype=np.int64)
    short, long = accuracy(hits[:, :K], counts, K), accuracy(hits, counts, LIST_K)
    for name, expected in ((VISIT_METRIC, short["ndcg"]), (HIT, long["hr"]), (RANK, long["mrr"])):
        np.testing.assert_allclose(found[name], expected)


def test_a_visit_of_many_moments_counts_once() -> None:
    values = next_metrics(np.ones(4, dtype=np.int32), listed(1, 0, 0, 1))
    found = means_of_visits(["long", "long", "long", "short"], values)
    assert found["visit_id"].to_list() == ["long", "short"]
    assert found[HIT].to_list() == pytest.approx([1 / 3, 1])


@pytest.mark.training
@pytest.mark.parametrize(("ordered_by", "served"), [(RANKER, FULL), ("popular", ORDERED)])
def test_what_is_served_is_judged_beside_simple_orders(ordered_by: str, served: str) -> None:
    """Of a shop of receipts: what follows in a basket."""
    training, two_tower = TrainingSet(training_dir()), TwoTowerArtifact(two_tower_dir())
    tables, ranker = TablesArtifact(tables_dir()), RankerArtifact(ranker_dir())
    ordering = Ordering(ordered_by=ordered_by, reason="")
    judged = judge_visits(training, tables, two_tower, ranker, quotas=QUOTAS, ordering=ordering)
    assert judged is not None
    figures = judged.figures(seed=1)
    assert {served, "popular", "item_to_item"} <= set(figures.models)
    assert figures.moments == judged.moments >= figures.visits > 50
    assert 0.9 < figures.could_be_found <= 1
    of_served = figures.models[served][VISIT_METRIC]
    assert 0 < of_served.low < of_served.mean < of_served.high < 1
    if served == ORDERED:
        assert figures.models[served] == figures.models["popular"]
