"""Figures of the harness against an independent library, and how several windows and seeds come together."""

import os

import numpy as np
import pytest

from endcap.algorithms.own_items import OwnMostBought
from endcap.algorithms.popularity import Popular
from endcap_benchmarks.quality.evaluating import Comparison, compare_models
from endcap_benchmarks.quality.model_catalogue import CatalogueEntry
from endcap_benchmarks.quality.models.checks import Oracle, RandomOrder
from endcap_benchmarks.quality.protocols.temporal import last_cuts, temporal_tasks
from endcap_benchmarks.quality.recommending import AlgorithmModel, RunContext
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.runs import ModelRuns, RunCosts, RunRecord
from endcap_benchmarks.quality.task import RankingTask

RANX = {"precision": "precision", "recall": "recall", "hr": "hit_rate", "mrr": "mrr", "ndcg": "ndcg"}


def runs_of(tasks: list[RankingTask], seeds: tuple[int, ...] = (1,)) -> list[ModelRuns]:
    models = {
        "popular": AlgorithmModel(Popular()),
        "own": AlgorithmModel(OwnMostBought()),
        "random": AlgorithmModel(RandomOrder()),
        "oracle": Oracle(),
    }
    found = []
    for name, model in models.items():
        runs = ModelRuns(CatalogueEntry(name, lambda model=model: model, is_baseline=name in ("popular", "own")))
        for task in tasks:
            for seed in seeds if name == "random" else (1,):
                made = model.recommend(task, RunContext(seed, 100, None, None, None))  # type: ignore[arg-type]
                costs = RunCosts(fit_s=1.0, score_s=1.0, peak_memory_mib=1.0, truths=list(made.lists))
                runs.by_task.setdefault(task.name, []).append(RunRecord(made.lists, costs))
        found.append(runs)
    return found


@pytest.fixture(scope="module")
def tasks(recorded_shop: RecordedPurchases) -> list[RankingTask]:
    return temporal_tasks(recorded_shop, last_cuts(recorded_shop, 2, 2), weeks=2, min_buyers=3)


def test_every_shared_metric_agrees_with_ranx(tasks: list[RankingTask]) -> None:
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # ranx compiles for a minute otherwise
    from ranx import Qrels, Run, evaluate

    task, k = tasks[0], 7
    runs = runs_of([task])
    (result,), pooled = compare_models(Comparison(k, frozenset({"popular", "own"})), [task], runs)
    assert pooled is None
    for name, truth in task.truths.items():
        pairs = truth.items
        judged = np.flatnonzero(pairs.counts)
        qrels = Qrels({f"u{row}": {f"i{item}": 1 for item in pairs.item_index[pairs.user_row == row]} for row in judged})
        for each in runs:
            lists = each.by_task[task.name][0].lists[name].items
            run = {
                f"u{row}": {f"i{item}": float(200 - at) for at, item in enumerate(lists[row]) if item} or {"none": 1.0} for row in judged
            }
            told = evaluate(qrels, Run(run), [f"{other}@{k}" for other in RANX.values()], make_comparable=True)
            found = result.truths[name].models[each.entry.name]
            for metric, other in RANX.items():
                assert found[f"{metric}@{k}"].mean == pytest.approx(told[f"{other}@{k}"], abs=1e-9), (name, each.entry.name, metric)


def test_the_best_baseline_is_chosen_by_truth_and_paired_with_everybody_else(tasks: list[RankingTask]) -> None:
    (result,), _ = compare_models(Comparison(10, frozenset({"popular", "own"})), tasks[:1], runs_of(tasks[:1]))
    everything = result.truths["all"]
    assert everything.baseline == "own"
    assert everything.differences.keys() == {"popular", "random", "oracle"}
    oracle = everything.differences["oracle"]["ndcg@10"]
    assert oracle.mean == pytest.approx(1 - everything.models["own"]["ndcg@10"].mean)
    assert oracle.low <= oracle.mean <= oracle.high
    assert oracle.p_value < 1e-6
    assert everything.against["random"]["popular"].mean == pytest.approx(
        everything.models["random"]["ndcg@10"].mean - everything.models["popular"]["ndcg@10"].mean
    )


def test_windows_are_pooled_by_user_and_seeds_averaged(tasks: list[RankingTask]) -> None:
    results, pooled = compare_models(Comparison(10, frozenset({"popular"})), tasks, runs_of(tasks, seeds=(1, 2, 3)))
    assert pooled is not None
    for truth in ("all", "new"):
        parts = [result.truths[truth] for result in results]
        together = pooled.truths[truth]
        assert together.users >= max(part.users for part in parts)
        means = [part.models["random"]["ndcg@10"].mean for part in parts]
        assert min(means) - 0.02 <= together.models["random"]["ndcg@10"].mean <= max(means) + 0.02
        assert together.models["oracle"]["ndcg@10"].mean == pytest.approx(1.0)
        assert all(part.seed_spread["random"]["ndcg@10"] > 0 for part in parts)
        assert "popular" not in together.seed_spread


def test_random_finds_what_chance_finds(tasks: list[RankingTask]) -> None:
    (result,), _ = compare_models(Comparison(10, frozenset()), tasks[:1], runs_of(tasks[:1], seeds=tuple(range(8))))
    truth = result.truths["all"]
    assert truth.models["random"]["recall@10"].mean == pytest.approx(10 / tasks[0].item_count, rel=0.1)


def test_a_model_that_failed_has_no_figures(tasks: list[RankingTask]) -> None:
    runs = runs_of(tasks)
    runs[2].failure = "it broke"
    results, pooled = compare_models(Comparison(10, frozenset({"popular"})), tasks, runs)
    assert pooled is not None
    assert all("random" not in result.truths["all"].models for result in [*results, pooled])
