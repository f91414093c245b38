"""The step evaluate: every model and baseline on the weeks after the cut, with intervals, segments, calibration and a report."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.evaluation import ALL, DEEP_K, NEW, Evaluation, Reliability, ReliabilityBin
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.core.progress import StepProgress
from endcap.core.settings import RetrievalSettings
from endcap.evaluation.calibration import calibration_curve, expected_calibration_error
from endcap.evaluation.judgement import JudgedCatalogue, Judgement, judge
from endcap.evaluation.purchase_log import contains, pair_keys
from endcap.evaluation.ranked_lists import ScoredPairs
from endcap.evaluation.segments import by_value, history_terciles
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.model_scores import BASELINE, OWN, EvaluatedUsers, RankedCandidates, baseline_scores, trained_scores
from endcap_components.evaluate.report import write_report

EVALUATION_NAME = "evaluation.json"
PER_USER_NAME = "per_user.parquet"
USERS_MAX = 20_000
_STAGES = 6


@dataclass(frozen=True)
class Artifacts:
    """Folders the step reads."""

    training: Path
    tables: Path
    two_tower: Path
    ranker: Path


def evaluate_step(artifacts: Artifacts, out_dir: Path, report_file: Path, quotas: RetrievalSettings, seed: int) -> Evaluation:
    """Judge all models and write `evaluation.json`, `per_user.parquet` and the HTML report.

    Args:
        artifacts: the run's training set, tables and models.
        out_dir: the folder to write; replaced when it exists, once the new one is whole.
        report_file: where the report goes.
        quotas: candidates a source, as in serving.
        seed: of the resamples.

    Raises:
        DataRejected: no user bought on both sides of the cut.
    """
    with StepProgress() as progress:
        task = progress.add_task("Reading users", total=_STAGES)
        training, tables = TrainingSet(artifacts.training), TablesArtifact(artifacts.tables)
        users = EvaluatedUsers.of(training, USERS_MAX, seed)
        if not users.user_ids:
            raise DataRejected("no user bought before and after the cut", field="cut", value=training.manifest.cut.isoformat())
        progress.update(task, advance=1, description="Baselines")
        scores = baseline_scores(users, tables.at(training.manifest.cut), len(training.item_rows))
        progress.update(task, advance=1, description="Two-tower and ranker")
        trained, ranked = trained_scores(
            users,
            training=training,
            tables=tables,
            two_tower=TwoTowerArtifact(artifacts.two_tower),
            ranker=RankerArtifact(artifacts.ranker),
            quotas=quotas,
        )
        progress.update(task, advance=1, description="Metrics")
        judgements = _judge_truths(scores | trained, users, training, seed)
        progress.update(task, advance=1, description="Calibration")
        reliability = _reliability(ranked, users)
        progress.update(task, advance=1, description="Report")
        evaluation = _document(training, users, quotas, judgements, reliability)
        _write(out_dir, evaluation, judgements)
        write_report(report_file, evaluation)
    get_logger("evaluate").info("evaluated", users=len(users.user_ids), **_headline(evaluation))
    return evaluation


def _judge_truths(scores: dict[str, ScoredPairs], users: EvaluatedUsers, training: TrainingSet, seed: int) -> dict[str, Judgement]:
    bought = users.log.pairs
    catalogue = JudgedCatalogue(
        category=training.items.leaf_code, buyer_share=_buyer_share(users), eligible_count=int(users.eligible.sum())
    )
    ages = _category_names(users, training, "age_band")
    segments = history_terciles(bought.counts) | by_value("age", ages)
    judged = {ALL: (users.truth, {name: each.lists(DEEP_K) for name, each in scores.items()}, BASELINE)}
    new = users.truth.without(bought)
    if len(new.item_index):
        lists = {name: each.new_to_user(bought).lists(DEEP_K) for name, each in scores.items() if name not in OWN}
        judged[NEW] = (new, lists, "popular")
    return {
        name: judge(lists, truth, catalogue, segments, users.user_ids, baseline=baseline, seed=seed)
        for name, (truth, lists, baseline) in judged.items()
    }


def _buyer_share(users: EvaluatedUsers) -> NDArray[np.float64]:
    """Share of the evaluated users who bought each item before the cut; an item none of them bought counts as half a buyer."""
    distinct = users.log.pairs.keys & 0xFFFFFFFF
    buyers = np.bincount(distinct, minlength=len(users.eligible)).astype(np.float64)
    share: NDArray[np.float64] = np.maximum(buyers, 0.5) / len(users.user_ids)
    return share


def _category_names(users: EvaluatedUsers, training: TrainingSet, column: str) -> list[str]:
    place, vocabulary = USER_CATEGORICAL.index(column), training.user_vocabularies[column]
    return [vocabulary.name(int(state.categories[place])) for state in users.states]


def _reliability(ranked: RankedCandidates, users: EvaluatedUsers) -> dict[str, Reliability]:
    """Probabilities of every candidate of every user against what was bought in the horizon."""
    keys = pair_keys(ranked.scores.pairs.user_row, ranked.scores.pairs.item_index)
    again = users.truth.where(users.truth_baskets >= 2)
    happened = {"buy": contains(users.truth.keys, keys), "buy_again": contains(again.keys, keys)}
    curves = {name: calibration_curve(ranked.probabilities[name], happened[name]) for name in ranked.probabilities}
    return {
        name: Reliability(
            error=expected_calibration_error(curve),
            bins=[ReliabilityBin(predicted=each.predicted, observed=each.observed, count=each.count) for each in curve],
        )
        for name, curve in curves.items()
    }


def _document(
    training: TrainingSet,
    users: EvaluatedUsers,
    quotas: RetrievalSettings,
    judgements: dict[str, Judgement],
    reliability: dict[str, Reliability],
) -> Evaluation:
    manifest = training.manifest
    return Evaluation(
        dataset_fingerprint=manifest.dataset_fingerprint,
        data_start=manifest.data_start,
        data_end=manifest.data_end,
        cut=manifest.cut,
        horizon_days=manifest.horizon_days,
        min_buyers=manifest.min_buyers,
        eligible_items=int(users.eligible.sum()),
        candidates_max=quotas.candidates_max,
        baselines={ALL: BASELINE, NEW: "popular"},
        truths={name: judgement.figures for name, judgement in judgements.items()},
        reliability=reliability,
    )


def _write(out_dir: Path, evaluation: Evaluation, judgements: dict[str, Judgement]) -> None:
    with replacing_folder(out_dir) as aside:
        (aside / EVALUATION_NAME).write_text(evaluation.model_dump_json(indent=1), encoding="utf-8")
        frames = [judgement.per_user.with_columns(pl.lit(name).alias("truth")) for name, judgement in judgements.items()]
        pl.concat(frames, how="diagonal").write_parquet(aside / PER_USER_NAME)


def _headline(evaluation: Evaluation) -> dict[str, float]:
    return {name: round(value, 4) for name, value in evaluation.flat().items() if name.endswith("ndcg@10")}
