"""The step gate: record the run, compare with the champion, say yes or no."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.contracts.evaluation import Evaluation
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.evaluation.gate import Decision, GateLimits, decide
from endcap.release.bundle.release_record import ReleaseRecord, read_release
from endcap.release.tracking import Champion, Tracking
from endcap_components.evaluate.step import EVALUATION_NAME
from endcap_components.gate.judged_report import write_judged_report


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
