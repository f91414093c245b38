"""What the full pipeline recommends, by the rows and indices of a task."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from endcap.core.errors import InvalidInput
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.user_items import UserItems
from endcap_benchmarks.quality.models import pipeline_model
from endcap_benchmarks.quality.models.pipeline_model import FullPipelineScores, PipelineModel
from endcap_benchmarks.quality.protocols.leave_one_out import leave_one_out_task
from endcap_benchmarks.quality.protocols.temporal import temporal_task
from endcap_benchmarks.quality.recommending import RunContext
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases


def test_lists_speak_of_the_tasks_users_and_items(
    recorded_shop: RecordedPurchases, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = temporal_task(recorded_shop, datetime(2026, 3, 2, tzinfo=UTC), weeks=2, min_buyers=3)
    user_ids = ["stranger", *reversed(task.user_ids)]
    items = len(recorded_shop.items)
    rows = np.repeat(np.arange(len(user_ids)), items)
    index = np.tile(np.arange(1, items + 1, dtype=np.int32), len(user_ids))
    score = np.random.default_rng(0).random(len(rows))
    ran = FullPipelineScores(
        {"full_pipeline": ScoredPairs(UserItems(rows, index, len(user_ids)), score)}, user_ids, {"ranker": 3.0, "scores": 1.0}
    )
    monkeypatch.setattr(pipeline_model, "full_pipeline_scores", lambda *_, **__: ran)

    made = PipelineModel("full_pipeline").recommend(task, RunContext(1, 5, shop, tmp_path))
    assert (made.fit_s, made.score_s, made.notes["users_without_list"]) == (3.0, 1.0, 0)
    assert made.reliability is not None
    ids = recorded_shop.items["item_id"].to_list()
    recommendable = set(task.items.ids.names)
    for row, user_id in enumerate(task.user_ids):
        of_user = score[rows == user_ids.index(user_id)]
        best = [ids[place] for place in np.argsort(-of_user) if ids[place] in recommendable][:5]
        assert [task.items.ids.name(int(code)) for code in made.lists["all"].items[row]] == best
    assert not made.lists["new"].hits(task.bought).any()


def test_it_needs_a_cut(sequences: RecordedPurchases, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="--protocol: the full pipeline learns from moments"):
        PipelineModel("full_pipeline").recommend(leave_one_out_task(sequences, "test"), RunContext(1, 5, tmp_path, tmp_path))
