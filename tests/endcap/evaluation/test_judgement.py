"""An oracle is perfect, a model against itself differs by nothing, and baselines follow their definition."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from endcap.contracts.evaluation import ALL, Evaluation
from endcap.evaluation.baselines.own_decayed import own_decayed
from endcap.evaluation.baselines.own_most_bought import own_most_bought
from endcap.evaluation.baselines.popular import popular
from endcap.evaluation.judgement import JudgedCatalogue, judge
from endcap.evaluation.purchase_log import PurchaseLog, UserItems
from endcap.evaluation.ranked_lists import RankedLists

USERS, ITEMS = 90, 200


def judged(seed: int = 0):  # type: ignore[no-untyped-def]
    random = np.random.default_rng(seed)
    truth_items = np.stack([random.permutation(np.arange(1, ITEMS + 1))[:15] for _ in range(USERS)]).astype(np.int32)
    rows = np.repeat(np.arange(USERS - 1, dtype=np.int64), 15)
    truth = UserItems(rows, truth_items[:-1].ravel(), USERS)
    oracle = np.zeros((USERS, 100), dtype=np.int32)
    oracle[:, :15] = truth_items
    others = np.stack([random.permutation(np.arange(1, ITEMS + 1))[:100] for _ in range(USERS)]).astype(np.int32)
    lists = {"base": RankedLists(others), "same": RankedLists(others.copy()), "oracle": RankedLists(oracle)}
    catalogue = JudgedCatalogue(np.arange(ITEMS + 1, dtype=np.int32), np.full(ITEMS + 1, 0.5), ITEMS)
    segments = {"half": np.arange(USERS) < 45, "few": np.arange(USERS) < 5}
    return judge(lists, truth, catalogue, segments, [f"u{row}" for row in range(USERS)], baseline="base", seed=1)


def test_an_oracle_is_perfect_and_users_without_truth_are_left_out() -> None:
    result = judged()
    figures = result.figures.models["oracle"]
    assert result.figures.users == USERS - 1
    for metric in ("ndcg@10", "mrr@10", "hr@10", "precision@10", "recall@100", "recall@20"):
        assert (figures[metric].low, figures[metric].mean, figures[metric].high) == pytest.approx((1.0, 1.0, 1.0)), metric
    assert figures["diversity@10"].mean == pytest.approx(1.0)
    assert figures["novelty@10"].mean == pytest.approx(1.0)


def test_equal_lists_differ_by_nothing_and_better_ones_by_more() -> None:
    differences = judged().figures.differences
    assert set(differences) == {"same", "oracle"}
    assert all((each.low, each.mean, each.high) == (0, 0, 0) for each in differences["same"].values())
    assert differences["oracle"]["ndcg@10"].low > 0


def test_segments_have_figures_of_their_own_and_small_ones_none() -> None:
    segments = judged().figures.segments
    assert {name: each.users for name, each in segments.items()} == {"half": 45}


def test_per_user_values_average_to_the_figures() -> None:
    result = judged()
    means = result.per_user.group_by("model").agg(pl.col("ndcg@10").mean())
    for model, mean in means.iter_rows():
        assert mean == pytest.approx(result.figures.models[model]["ndcg@10"].mean)


def test_flat_names_say_the_truth() -> None:
    evaluation = Evaluation(
        dataset_fingerprint="f",
        data_start=datetime(2017, 1, 1, tzinfo=UTC),
        data_end=datetime(2018, 1, 1, tzinfo=UTC),
        cut=datetime(2017, 12, 4, tzinfo=UTC),
        horizon_days=28,
        min_buyers=5,
        eligible_items=9,
        candidates_max=9,
        baselines={ALL: "base", "new": "base"},
        truths={ALL: judged().figures, "new": judged(1).figures},
        reliability={},
    )
    assert {"oracle/ndcg@10", "oracle/new/ndcg@10"} <= set(evaluation.flat())
    assert evaluation.metric("oracle", "ndcg@10") == pytest.approx(1.0)
    assert np.isnan(evaluation.metric("nobody", "ndcg@10"))


def test_baselines_count_baskets_and_decay() -> None:
    purchases = pl.DataFrame(
        {
            "user_id": ["a", "a", "a", "a", "b"],
            "item_index": pl.Series([1, 1, 1, 2, 3], dtype=pl.Int32),
            "session_id": ["s1", "s1", "s2", "s3", "s4"],
            "age_days": [100.0, 100.0, 90.0, 1.0, 5.0],
        }
    )
    log = PurchaseLog.of(purchases, ["a", "c"])
    assert own_most_bought(log).lists(2).items.tolist() == [[1, 2], [0, 0]]
    assert own_decayed(log).lists(2).items.tolist() == [[2, 1], [0, 0]]
    assert popular(log, 3, np.array([3, 3])).lists(3).items.tolist() == [[2, 3, 0], [2, 3, 0]]
