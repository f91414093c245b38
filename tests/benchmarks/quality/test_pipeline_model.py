"""What the full pipeline recommends, by the rows and indices of a task."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.contracts.signals import VIEW_CODE
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems, contains
from endcap.training.scoring import RankerArtifact
from endcap_benchmarks.quality.models.pipeline_model import ORDERED, SHOWN, TWO_TOWER, PipelineModel
from endcap_benchmarks.quality.models.pipeline_run import PipelineRun, RankedUsers
from endcap_benchmarks.quality.protocols.leave_one_out import LAST_ITEM, leave_one_out_task
from endcap_benchmarks.quality.protocols.session import NEXT, session_task
from endcap_benchmarks.quality.protocols.temporal import temporal_task
from endcap_benchmarks.quality.recommending import RunContext
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.recorded_signals import read_recorded_signals
from tests.journeys.shops import Line, looks, write_dataset


class Chance:
    """A chain that scores all items of its users by chance, whose states are their places in `user_ids`."""

    objectives = ("buy",)

    def __init__(self, items: ItemTable, user_ids: list[str]) -> None:
        self.items, self._user_ids = items, user_ids
        self.score = np.random.default_rng(0).random((len(user_ids), len(items))).astype(np.float32)

    def people(self, user_ids: list[str]) -> list[int]:
        return [self._user_ids.index(user_id) for user_id in user_ids]

    def ranked(self, states: Callable[[], list[int]], depths: np.ndarray, allowed: np.ndarray) -> RankedUsers:
        assert depths.min() >= 5
        places = states()
        index = np.flatnonzero(allowed[1:]).astype(np.int32) + 1
        rows = np.repeat(np.arange(len(places)), len(index))
        items = np.tile(index, len(places))
        score = self.score[places][:, index].ravel()
        pairs = UserItems(rows, items, len(places))
        return RankedUsers(pairs, {"buy": score}, score, ScoredPairs(pairs, score.astype(np.float64)))


def test_lists_speak_of_the_tasks_users_and_items(
    recorded_shop: RecordedPurchases, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = temporal_task(recorded_shop, datetime(2026, 3, 2, tzinfo=UTC), weeks=2, min_buyers=3)
    chain = Chance(ItemTable.from_items(recorded_shop.items), ["stranger", *reversed(task.user_ids)])
    run = PipelineRun(tmp_path, 1)
    with run.timed("ranker"):
        pass
    monkeypatch.setattr(PipelineModel, "_chain", lambda *_: (run, chain))

    made = PipelineModel(ORDERED).recommend(task, RunContext(1, 5, shop, tmp_path, tmp_path))
    assert (set(made.notes["seconds"]), made.notes["users_without_list"]) == ({"ranker"}, 0)
    assert made.reliability is not None
    ids = recorded_shop.items["item_id"].to_list()
    recommendable = set(task.items.ids.names)
    for row, user_id in enumerate(task.user_ids):
        of_user = chain.score[chain._user_ids.index(user_id)][1:]
        best = [ids[place] for place in np.argsort(-of_user) if ids[place] in recommendable][:5]
        assert [task.items.ids.name(int(code)) for code in made.lists["all"].items[row]] == best
    assert not made.lists["new"].hits(task.bought).any()


SMALL: dict[str, dict[str, Any]] = {
    "ranker": {"epochs": 1, "steps_min": 1, "members": 1},
    "two_tower": {"next_item": {"epochs": 1, "members": 1, "dim": 16}},
}


@pytest.mark.training
def test_a_run_on_an_order_gives_the_order_the_list_as_shown_and_the_two_tower_alone(sequences: RecordedPurchases, tmp_path: Path) -> None:
    task = leave_one_out_task(sequences, "test")
    context = RunContext(1, 10, sequences.dataset.path, tmp_path / "own", tmp_path / "shared")
    made = {lists: PipelineModel(lists, **SMALL).recommend(task, context) for lists in (ORDERED, SHOWN, TWO_TOWER)}
    seconds = [each.notes["seconds"] for each in made.values()]
    assert seconds[0] == seconds[1] == seconds[2], "a run is trained once"
    assert {"features", "training", "tables", "two_tower", "ranker"} <= set(seconds[0])
    for each in made.values():
        assert each.notes["users_without_list"] == 0
        assert (each.lists[LAST_ITEM].items > 0).all()
        assert not each.lists[LAST_ITEM].hits(task.bought).any()
    assert (made[ORDERED].lists[LAST_ITEM].items != made[TWO_TOWER].lists[LAST_ITEM].items).any()


@pytest.mark.training
def test_what_comes_next_in_visits_is_what_the_ranker_of_a_shop_without_purchases_learns(tmp_path: Path) -> None:
    shop = write_dataset(tmp_path / "shop", [*looks(600), *_second_looks(600)])
    task = session_task(read_recorded_signals(shop), "test", [VIEW_CODE], days=14)
    context = RunContext(1, 10, shop, tmp_path / "own", tmp_path / "shared")
    lists = PipelineModel(ORDERED, **SMALL).recommend(task, context).lists[NEXT]
    (ranker,) = (tmp_path / "shared").glob("*/ranker")
    assert set(RankerArtifact(ranker).visit_ndcg) > {"ranker", "popular"}
    following = task.truths[NEXT].items
    returned = contains(task.bought.keys, following.keys)
    assert returned.sum() > 20
    hits = lists.hits(following).any(axis=1)
    assert hits[following.user_row[returned]].mean() > 0.95, "what a visit comes back to is in its list"
    assert hits[following.user_row[~returned]].mean() > 0.5, "three of four items of other tastes are not in it"


def _second_looks(visits: int) -> list[Line]:
    """In each visit of `looks` a fourth look, at the item of the first."""
    first = {line.visit: line for line in reversed(looks(visits))}
    return [replace(line, at=line.at + timedelta(minutes=5)) for line in first.values()]
