"""A champion makes its lists for the challenger's people, with its own signatures, and loses nothing by having another catalogue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

from endcap.contracts.evaluation import ALL, FULL, PER_USER_NAME, RANKER, VISIT_METRIC, Evaluation, Ordering  # noqa: E402
from endcap.core.settings import Settings  # noqa: E402
from endcap.engine.retrieval.candidates import Candidates  # noqa: E402
from endcap.engine.retrieval.item_to_item import ItemToItem  # noqa: E402
from endcap.engine.retrieval.popular import OVERALL, Popularity  # noqa: E402
from endcap.evaluation.as_shown import home_surface  # noqa: E402
from endcap.evaluation.gate import VISITS, Comparison, GateLimits, Uncompared, decide  # noqa: E402
from endcap.release.bundle.manifest import Bundle  # noqa: E402
from endcap.release.tracking import Champion  # noqa: E402
from endcap.training.moment_tables import MomentTables, TablesArtifact  # noqa: E402
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact  # noqa: E402
from endcap.training.training_set import TrainingSet  # noqa: E402
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_bundle  # noqa: E402
from endcap_components.evaluate.served_order import OrderLimits  # noqa: E402
from endcap_components.evaluate.step import Artifacts, JudgedBy, evaluate_step  # noqa: E402
from endcap_components.evaluate.visit_lists import JudgedVisits, judge_visits  # noqa: E402
from endcap_components.export_bundle.step import ExportInputs, export_bundle_step  # noqa: E402
from endcap_components.gate.champion_lists import OWN_TABLES, TABLES_AT_CUT, ChampionLists, ItemMapping  # noqa: E402
from endcap_components.gate.step import GateInputs, compared_with  # noqa: E402
from tests.endcap.training.made_artifacts import QUOTAS, ranker_dir, tables_dir, training_dir, two_tower_dir  # noqa: E402

pytestmark = pytest.mark.training


def exported(folder: Path, limits: OrderLimits | None = None, version_at: int = 1) -> tuple[GateInputs, Evaluation, Bundle]:
    """The taste shop's run, evaluated and exported: as challenger and as champion."""
    artifacts = Artifacts(training_dir(), tables_dir(), two_tower_dir(), ranker_dir())
    judged_by = JudgedBy(QUOTAS, limits or OrderLimits(), home_surface({}), seed=3)
    report = folder / "report.html"
    evaluation = evaluate_step(artifacts, folder / "evaluation", report, judged_by)
    inputs = ExportInputs(
        training_dir(), tables_dir(), two_tower_dir(), ranker_dir(), folder / "evaluation", QUOTAS.model_dump(), run_id="r"
    )
    now = datetime(2026, 1, version_at, tzinfo=UTC)
    bundle = export_bundle_step(inputs, folder / "bundle", Settings(home=folder), lambda: now)
    return GateInputs(training_dir(), tables_dir(), folder / "evaluation", report), evaluation, bundle


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[GateInputs, Evaluation, Bundle]:
    """Ordered by the ranker."""
    return exported(tmp_path_factory.mktemp("run"), OrderLimits(min_lift=-1.0))


@pytest.fixture(scope="module")
def by_method(tmp_path_factory: pytest.TempPathFactory) -> tuple[GateInputs, Evaluation, Bundle]:
    """Ordered by a method, without the two-tower."""
    return exported(tmp_path_factory.mktemp("by-method"), OrderLimits(min_lift=0.9, min_recall_lift=1.0), 2)


def registered(bundle: Bundle) -> Champion:
    return Champion(bundle.manifest.version, bundle.path.absolute().as_uri())


def compared(run: tuple[GateInputs, Evaluation, Bundle], champion: Champion, home: Path) -> Comparison:
    inputs, evaluation, _ = run
    found = compared_with(champion, inputs, evaluation, Settings(home=home))
    assert isinstance(found, Comparison)
    return found


def test_a_champion_of_the_same_run_makes_the_same_lists_but_for_its_embeddings_of_a_later_day(
    run: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path
) -> None:
    found = compared(run, registered(run[2]), tmp_path)
    assert found.note == TABLES_AT_CUT
    assert found.ours == pytest.approx(run[1].metric(FULL, run[1].ranking_metric))
    assert found.difference.low <= 0.005 and found.difference.high >= -0.005
    assert abs(found.difference.mean) < 0.02
    assert decide(run[1], found, GateLimits()).accepted


def test_a_bundle_that_a_method_orders_is_compared_by_the_lists_that_it_serves(
    run: tuple[GateInputs, Evaluation, Bundle], by_method: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path
) -> None:
    _, evaluation, champion = by_method
    assert (champion.manifest.ordered_by, champion.manifest.uses_two_tower) == (evaluation.ordering.best_method, False)
    assert champion.manifest.order_figures.keys() == evaluation.ordering.methods.keys()
    with_itself = compared(by_method, registered(champion), tmp_path)
    assert with_itself.ours == pytest.approx(with_itself.theirs, abs=1e-6)
    against_ranker = compared(run, registered(champion), tmp_path)
    assert against_ranker.theirs == pytest.approx(with_itself.theirs, abs=1e-6)
    assert against_ranker.ours == pytest.approx(run[1].metric(FULL, run[1].ranking_metric))


def test_a_champion_older_than_the_cut_keeps_its_own_tables(run: tuple[GateInputs, Evaluation, Bundle]) -> None:
    _, _, bundle = run
    training = TrainingSet(training_dir())
    older = bundle.manifest.model_copy(update={"data_end": training.manifest.cut - timedelta(days=1)})
    at_cut = TablesArtifact(tables_dir()).at(training.manifest.cut)
    lists = ChampionLists.of(Bundle(bundle.path, older), training, at_cut)
    assert lists.note == OWN_TABLES
    assert lists.known.item_to_item is lists.tables.item_to_item
    assert lists.known.ease is lists.tables.ease


def test_a_champion_of_another_shop_finds_nothing_and_is_no_error(run: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path) -> None:
    made = make_bundle(tmp_path / "made", 9, "endcap_9", SyntheticSize(items=120, dim=8, neighbours=5))
    found = compared(run, registered(made), tmp_path)
    assert found.theirs == 0 and found.ours > 0
    assert decide(run[1], found, GateLimits()).accepted


def test_a_better_champion_refuses_a_challenger_that_lost_its_order(run: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path) -> None:
    inputs, evaluation, bundle = run
    worse = tmp_path / "evaluation"
    worse.mkdir()
    frame = pl.read_parquet(inputs.evaluation / PER_USER_NAME)
    frame.with_columns(pl.col(evaluation.ranking_metric) * 0.5).write_parquet(worse / PER_USER_NAME)
    shuffled = GateInputs(inputs.training, inputs.tables, worse, inputs.report)
    found = compared((shuffled, evaluation, bundle), registered(bundle), tmp_path)
    decision = decide(evaluation, found, GateLimits())
    assert not decision.accepted and "beyond chance" in decision.reason


def test_where_the_ranker_learned_from_visits_bundles_are_compared_by_visits(
    run: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path
) -> None:
    inputs, evaluation, bundle = run
    training = TrainingSet(training_dir())
    ordering = Ordering(ordered_by=RANKER, reason="")
    models = TablesArtifact(tables_dir()), TwoTowerArtifact(two_tower_dir()), RankerArtifact(ranker_dir())
    judged = judge_visits(training, *models, quotas=QUOTAS, ordering=ordering)
    assert judged is not None
    judged.write(tmp_path)
    of_visits = GateInputs(inputs.training, inputs.tables, tmp_path, inputs.report)
    found = compared((of_visits, evaluation, bundle), registered(bundle), tmp_path)
    assert (found.judged, found.users) == (VISITS, judged.per_visit["visit_id"].n_unique())
    assert abs(found.difference.mean) < 0.02 < found.ours
    worse = judged.per_visit.with_columns(pl.col(VISIT_METRIC) * 0.5)
    JudgedVisits(worse, judged.moments, 1.0).write(tmp_path)
    decision = decide(evaluation, compared((of_visits, evaluation, bundle), registered(bundle), tmp_path), GateLimits())
    assert not decision.accepted
    assert f"over the same {found.users:,} visits, beyond chance" in decision.reason


def test_a_champion_that_cannot_be_read_is_said_with_its_reason(run: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path) -> None:
    inputs, evaluation, _ = run
    found = compared_with(Champion(7), inputs, evaluation, Settings(home=tmp_path))
    assert isinstance(found, Uncompared)
    assert "in none of the places" in found.reason


def test_where_nobody_is_judged_the_champion_is_not_even_opened(run: tuple[GateInputs, Evaluation, Bundle], tmp_path: Path) -> None:
    inputs, evaluation, _ = run
    keys = pl.DataFrame(schema={"user_id": pl.String, "model": pl.String, "truth": pl.String})
    keys.write_parquet(tmp_path / PER_USER_NAME)
    of_nobody = GateInputs(inputs.training, inputs.tables, tmp_path, inputs.report)
    found = compared_with(Champion(7), of_nobody, evaluation.model_copy(update={"truths": {}}), Settings(home=tmp_path))
    assert isinstance(found, Comparison) and found.users == 0
    assert ALL not in evaluation.model_copy(update={"truths": {}}).truths


def test_tables_are_taken_over_for_the_items_that_both_know() -> None:
    mapping = ItemMapping(to_champion=np.array([0, 2, 0, 1], np.int32), to_challenger=np.array([0, 3, 1, 0], np.int32))
    item_to_item = ItemToItem(
        np.array([[0, 0], [3, 2], [1, 3], [2, 1]], np.int32), np.array([[0, 0], [0.9, 0.5], [0.8, 0.4], [0.7, 0.3]], np.float16)
    )
    popularity = Popularity({OVERALL: Candidates(np.array([2, 3, 1], np.int32), np.array([1, 0.9, 0.8], np.float32))})
    known = MomentTables(item_to_item, popularity, np.array([0, 5, 6, 7], np.float32))
    mapped = mapping.tables(known)
    assert mapped.ease.is_empty
    with_ease = mapping.tables(replace(known, ease=item_to_item))
    assert with_ease.ease.index.tolist() == mapped.item_to_item.index.tolist()
    assert mapped.item_to_item.index.tolist() == [[0, 0], [0, 2], [1, 0], [0, 0]]
    np.testing.assert_allclose(mapped.item_to_item.weight, [[0, 0], [0, 0.3], [0.9, 0], [0, 0]], rtol=1e-3)
    assert mapped.popularity.by_segment[OVERALL].index.tolist() == [1, 2]
    assert mapped.repurchase_gap_days.tolist() == [0, 7, 5, 0]
