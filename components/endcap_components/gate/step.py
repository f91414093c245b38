"""The step gate: record the run, compare with the champion on the same people and weeks, say yes or no."""

from contextlib import ExitStack
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from endcap.contracts.evaluation import ALL, EVALUATION_NAME, PER_USER_NAME, PER_VISIT_NAME, VISIT_METRIC, Evaluation
from endcap.core.errors import EndcapError
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.evaluation.gate import VISITS, Comparison, Decision, GateLimits, Uncompared, decide
from endcap.evaluation.ordering import USERS
from endcap.release.bundle.release_record import ReleaseRecord, read_release
from endcap.release.champion import champion_bundle
from endcap.release.tracking import Champion, Tracking
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.evaluate.evaluated_users import EvaluatedUsers
from endcap_components.evaluate.report import DECISION_PLACE

SEED = 20_171_204
"""Of the resamples, so that a decision is the same each time."""


@dataclass(frozen=True)
class GateInputs:
    """What a run left.

    Attributes:
        training, tables: what the champion makes its lists with, for the people and weeks of the run.
        evaluation: the folder that the step evaluate wrote.
        report: its HTML report.
    """

    training: Path
    tables: Path
    evaluation: Path
    report: Path


def write_judged_report(report: Path, target: Path, decision: Decision) -> None:
    """Write the page again, the decision and each of its conditions in the place that the page keeps for it; else at its end.

    Args:
        report: the HTML page of the step evaluate.
        target: the file to write.
        decision: what the gate said.
    """
    page = report.read_text(encoding="utf-8")
    section = _section(decision)
    target.parent.mkdir(parents=True, exist_ok=True)
    with_decision = page.replace(DECISION_PLACE, section, 1) if DECISION_PLACE in page else page + section
    target.write_text(with_decision, encoding="utf-8")


def _section(decision: Decision) -> str:
    conditions = "".join(f"<li>{escape(each)}</li>" for each in decision.conditions)
    return f"<section>\n<h2>Gate: {'accepted' if decision.accepted else 'refused'}</h2>\n<ul>{conditions}</ul>\n</section>"


@dataclass(frozen=True)
class GateResult:
    decision: Decision
    run_id: str


def gate_step(inputs: GateInputs, parameters: dict[str, Any], limits: GateLimits, settings: Settings, *, judged_report: Path) -> GateResult:
    """Decide about a run and record it in MLflow, accepted or not; the champion's own evaluation is on record already.

    Args:
        inputs: of the run.
        parameters: of the run, for the record.
        limits: what must be reached.
        settings: where MLflow and the champion's bundle are.
        judged_report: the report with the decision in it, to be written.

    Raises:
        DependencyUnavailable: MLflow does not answer, so nobody knows whether there is a champion.
    """
    evaluation_file = inputs.evaluation / EVALUATION_NAME
    evaluation = Evaluation.model_validate_json(evaluation_file.read_bytes())
    served = read_release(settings.served_dir)
    if served is not None and served.run_id is not None and _is_of(evaluation, served):
        decision = decide(evaluation, Comparison.with_itself(served.version, evaluation), limits)
        write_judged_report(inputs.report, judged_report, decision)
        return GateResult(decision, served.run_id)
    tracking = Tracking(settings)
    champion = tracking.champion()
    compared = None if champion is None else compared_with(champion, inputs, evaluation, settings)
    decision = decide(evaluation, compared, limits)
    write_judged_report(inputs.report, judged_report, decision)
    tags = {"dataset": evaluation.dataset_fingerprint, "cut": evaluation.cut.isoformat()}
    run_id = tracking.record_run(evaluation_file, parameters, tags, judged_report)
    tracking.set_tags(run_id, {"accepted": str(decision.accepted).lower(), "reason": decision.reason})
    get_logger("gate").info("decided", accepted=decision.accepted, reason=decision.reason)
    return GateResult(decision, run_id)


def _is_of(evaluation: Evaluation, served: ReleaseRecord) -> bool:
    """Whether the served bundle is the one that was evaluated; a model that differs at all differs in some figure."""
    return evaluation.flat() == served.metrics and evaluation.dataset_fingerprint == served.dataset_fingerprint


def compared_with(champion: Champion, inputs: GateInputs, evaluation: Evaluation, settings: Settings) -> Comparison | Uncompared:
    """Make the champion's lists for the run's people and weeks, and pair them with the run's; or say why that cannot be done.

    Args:
        champion: as the registry names it.
        inputs, evaluation: of the run.
        settings: where bundles are kept.
    """
    version = champion.bundle_version
    by_visits = inputs.evaluation / PER_VISIT_NAME
    is_of_visits = by_visits.is_file()
    ours = _own_visits(by_visits, evaluation) if is_of_visits else _own_values(inputs.evaluation / PER_USER_NAME, evaluation)
    if not len(ours):
        return Comparison.of(version, ours["value"].to_numpy(), ours["value"].to_numpy(), seed=SEED)
    with ExitStack() as opened:
        try:
            bundle = opened.enter_context(champion_bundle(champion, settings))
        except EndcapError as error:
            return Uncompared(version, str(error))
        # TensorFlow takes seconds to load, and a shop's first bundle has no champion to run.
        from endcap_components.gate.champion_lists import ChampionLists

        training = TrainingSet(inputs.training)
        at_cut = TablesArtifact(inputs.tables).at(training.manifest.cut)
        try:
            lists = ChampionLists.of(bundle, training, at_cut)
            if is_of_visits:
                theirs = lists.of_visits(training)[VISIT_METRIC].to_numpy()
            else:
                theirs = lists.ndcg(EvaluatedUsers.these(training, ours["user_id"].to_list()), training)
        except EndcapError as error:
            return Uncompared(version, str(error))
    judged = VISITS if is_of_visits else USERS
    return Comparison.of(version, ours["value"].to_numpy(), theirs, seed=SEED, note=lists.note, judged=judged)


def _own_visits(per_visit: Path, evaluation: Evaluation) -> pl.DataFrame:
    """Columns visit_id, value: the same of visits, by visit id."""
    frame = pl.read_parquet(per_visit).filter(pl.col("model") == evaluation.served_model)
    return frame.select("visit_id", pl.col(VISIT_METRIC).alias("value")).sort("visit_id")


def _own_values(per_user: Path, evaluation: Evaluation) -> pl.DataFrame:
    """Columns user_id, value: the run's NDCG in the order that it would serve, by user id."""
    frame, metric = pl.read_parquet(per_user), evaluation.ranking_metric
    if metric not in frame.columns:
        return pl.DataFrame(schema={"user_id": pl.String, "value": pl.Float64})
    served = (pl.col("truth") == ALL) & (pl.col("model") == evaluation.served_model)
    return frame.filter(served).select("user_id", pl.col(metric).alias("value")).sort("user_id")
