"""The step on the taste shop: what orders is chosen by its own people, and the list as shown is a row."""

import itertools
from pathlib import Path

import polars as pl
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

from endcap.contracts.evaluation import ALL, AS_SHOWN, FULL, NEW, ORDERED, PER_USER_NAME, RANKER, Evaluation  # noqa: E402
from endcap.engine.surfaces.surface import Surface, SurfaceDiversity  # noqa: E402
from endcap.evaluation.as_shown import home_surface  # noqa: E402
from endcap.training.training_set import TrainingSet  # noqa: E402
from endcap_components.evaluate.evaluated_users import EvaluatedUsers  # noqa: E402
from endcap_components.evaluate.served_order import OrderLimits  # noqa: E402
from endcap_components.evaluate.simple_orders import METHODS  # noqa: E402
from endcap_components.evaluate.step import Artifacts, JudgedBy, evaluate_step  # noqa: E402
from tests.endcap.training.made_artifacts import QUOTAS, ranker_dir, tables_dir, training_dir, two_tower_dir  # noqa: E402

pytestmark = pytest.mark.training

_numbers = itertools.count()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluated")


def evaluated(folder: Path, limits: OrderLimits | None = None, home: Surface | None = None) -> tuple[Evaluation, pl.DataFrame]:
    artifacts = Artifacts(training_dir(), tables_dir(), two_tower_dir(), ranker_dir())
    out = folder / str(next(_numbers))
    judged_by = JudgedBy(QUOTAS, limits or OrderLimits(), home or home_surface({}), seed=3)
    made = evaluate_step(artifacts, out, out.with_suffix(".html"), judged_by)
    assert Evaluation.model_validate_json((out / "evaluation.json").read_bytes()) == made
    return made, pl.read_parquet(out / PER_USER_NAME)


@pytest.fixture(scope="module")
def usual(folder: Path) -> tuple[Evaluation, pl.DataFrame]:
    """Evaluated as runs are by default."""
    return evaluated(folder)


def test_the_best_order_of_the_same_candidates_is_chosen(usual: tuple[Evaluation, pl.DataFrame]) -> None:
    made, _ = usual
    assert set(made.ordering.methods) == {RANKER, *METHODS}
    best = max(METHODS, key=lambda name: made.ordering.methods[name].mean)
    assert made.ordering.best_method == best
    assert (made.ordering.ordered_by == RANKER) == (made.ordering.methods[RANKER].mean > made.ordering.methods[best].mean)
    assert made.ordering.methods[RANKER].mean == pytest.approx(made.metric(FULL, made.ranking_metric))
    assert made.reliability.keys() == {"buy", "buy_again"}


def test_a_method_that_orders_has_a_row_and_probabilities_that_fit_what_happened(folder: Path) -> None:
    made, per_user = evaluated(folder, OrderLimits(min_lift=0.9))
    ordering = made.ordering
    assert ordering.ordered_by == ordering.best_method in METHODS
    assert made.metric(ORDERED, made.ranking_metric) == pytest.approx(ordering.methods[ordering.ordered_by].mean)
    assert made.reliability["buy"].error < 0.05
    assert set(per_user.filter(pl.col("truth") == ALL)["model"].unique()) >= {FULL, ORDERED, AS_SHOWN}


def test_a_two_tower_that_is_not_wanted_brings_no_candidates(folder: Path) -> None:
    with_it, _ = evaluated(folder, OrderLimits(min_recall_lift=-1.0))
    without, _ = evaluated(folder, OrderLimits(min_recall_lift=1.0))
    assert (with_it.ordering.uses_two_tower, without.ordering.uses_two_tower) == (True, False)
    metric = with_it.retrieval_metric
    assert without.metric(FULL, with_it.ranking_metric) != with_it.metric(FULL, with_it.ranking_metric)
    assert without.metric("two_tower", metric, NEW) == with_it.metric("two_tower", metric, NEW)


def test_depths_follow_the_catalogue(usual: tuple[Evaluation, pl.DataFrame]) -> None:
    made, per_user = usual
    assert (made.main_k, made.deep_k) == (10, made.eligible_items // 4)
    assert made.retrieval_metric in per_user.columns and "recall@100" not in per_user.columns


def test_diversity_that_ruins_lists_is_seen_before_it_is_served(folder: Path) -> None:
    ruined, _ = evaluated(folder, home=Surface(sources={"popular": {}}, diversity=SurfaceDiversity(mmr=1.0)))
    assert ruined.shown is not None and ruined.shown.loss.high < 0
    assert "diversity (mmr 1) takes" in ruined.shown.warning
    plain, _ = evaluated(folder, home=Surface(sources={"popular": {}}))
    assert plain.shown is not None and plain.shown.warning == ""
    assert plain.metric(AS_SHOWN, plain.ranking_metric) == pytest.approx(plain.metric(plain.served_model, plain.ranking_metric), abs=0.01)


def test_where_nobody_can_be_judged_popularity_orders(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = TrainingSet(training_dir()).labels_at(TrainingSet(training_dir()).manifest.cut)
    monkeypatch.setattr(TrainingSet, "labels_at", lambda _self, _moment: labels.clear())
    assert EvaluatedUsers.of(TrainingSet(training_dir()), 10, 0).user_ids == []
    made, per_user = evaluated(folder)
    assert (made.truths, made.ordering.ordered_by, len(per_user)) == ({}, "popular", 0)
