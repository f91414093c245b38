"""The step gate: record the run, compare with the champion, say yes or no."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from endcap.contracts.evaluation import EVALUATION_NAME, Evaluation
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.evaluation.gate import Decision, GateLimits, decide
from endcap.release.bundle.release_record import ReleaseRecord, read_release
from endcap.release.tracking import Champion, Tracking
from endcap_components.evaluate.report import DECISION_PLACE


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


def gate_step(
    evaluation_dir: Path, report_file: Path, parameters: dict[str, Any], limits: GateLimits, settings: Settings, *, judged_report: Path
) -> GateResult:
    """Decide about a run and record it in MLflow, accepted or not; the champion's own evaluation is on record already.

    Args:
        evaluation_dir: what the step evaluate wrote.
        report_file: its HTML report.
        parameters: of the run, for the record.
        limits: what must be reached.
        settings: where MLflow is.
        judged_report: the report with the decision in it, to be written.

    Raises:
        DependencyUnavailable: MLflow does not answer, so nobody knows whether there is a champion.
    """
    evaluation_file = evaluation_dir / EVALUATION_NAME
    evaluation = Evaluation.model_validate_json(evaluation_file.read_bytes())
    served = read_release(settings.served_dir)
    if served is not None and served.run_id is not None and _is_of(evaluation, served):
        decision = decide(evaluation, Champion(served.version, evaluation), limits)
        write_judged_report(report_file, judged_report, decision)
        return GateResult(decision, served.run_id)
    tracking = Tracking(settings)
    decision = decide(evaluation, tracking.champion(), limits)
    write_judged_report(report_file, judged_report, decision)
    tags = {"dataset": evaluation.dataset_fingerprint, "cut": evaluation.cut.isoformat()}
    run_id = tracking.record_run(evaluation_file, parameters, tags, judged_report)
    tracking.set_tags(run_id, {"accepted": str(decision.accepted).lower(), "reason": decision.reason})
    get_logger("gate").info("decided", accepted=decision.accepted, reason=decision.reason)
    return GateResult(decision, run_id)


def _is_of(evaluation: Evaluation, served: ReleaseRecord) -> bool:
    """Whether the served bundle is the one that was evaluated; a model that differs at all differs in some figure."""
    return evaluation.flat() == served.metrics and evaluation.dataset_fingerprint == served.dataset_fingerprint
