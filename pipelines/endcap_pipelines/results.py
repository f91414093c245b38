"""What a local run came to: the evaluation, the gate's word, and what became of the bundle."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from endcap.contracts.evaluation import EVALUATION_NAME, Evaluation
from endcap.contracts.training_plan import TrainingPlan
from endcap.core.errors import EndcapError
from endcap.core.files import replace_bytes
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import Deployment, read_deployment
from endcap.training.plan import read_plan
from endcap_pipelines.local_run import LocalRun
from endcap_pipelines.step_display import StepRun

REPORT_FILE = "report.html"
DEPLOY_STEP = "deploy-bundle"


@dataclass(frozen=True)
class TrainingResult:
    """The result of one run of the training pipeline.

    Attributes:
        deployment: of the run's bundle; None when it was refused.
        accepted, reason: the gate's decision.
        plan: what was trained, and what was left out.
        evaluation: every model on the weeks after the cut.
        report: the HTML page with plots.
        steps: in order.
    """

    deployment: Deployment | None
    accepted: bool
    reason: str
    plan: TrainingPlan
    evaluation: Evaluation
    report: Path
    steps: list[StepRun]

    @classmethod
    def of(cls, done: LocalRun, settings: Settings) -> Self:
        """Read a run's outputs.

        Raises:
            EndcapError: the gate's decision and what ran after it contradict each other, or the deployment's record cannot be read.
        """
        outputs = done.outputs
        accepted = bool(outputs["accepted"])
        if accepted != any(step.name == DEPLOY_STEP for step in done.steps):
            raise EndcapError(f"the gate said accepted={accepted}, but the steps after it do not fit that", fix=f"see {done.log_file}")
        deployment = read_deployment(settings.home) if accepted else None
        if accepted and deployment is None:
            raise EndcapError("the step left no record of the deployment", field=DEPLOY_STEP, fix=f"see {done.log_file}")
        return cls(
            deployment=deployment,
            accepted=accepted,
            reason=str(outputs["reason"]),
            plan=read_plan(Path(outputs["plan"].path)),
            evaluation=Evaluation.model_validate_json((Path(outputs["evaluation"].path) / EVALUATION_NAME).read_bytes()),
            report=_kept_report(Path(outputs["report"].path), settings.home / REPORT_FILE),
            steps=done.steps,
        )

    def summary(self) -> str:
        """What a person reads at the end: the decision, what is wrong with the list as shown, the deployment, what was left out."""
        said = [f"{'Accepted' if self.accepted else 'Refused'}: {self.reason}"]
        if self.evaluation.shown is not None and self.evaluation.shown.warning:
            said.append(f"Warning: {self.evaluation.shown.warning}")
        if self.evaluation.shown is not None and self.evaluation.shown.ignored:
            names = ", ".join(self.evaluation.shown.ignored)
            said.append(f"Warning: nothing was trained for {names}, which the value of surface {self.evaluation.shown.surface} names")
        if self.deployment is not None:
            said.append(self.deployment.message())
        if self.evaluation.signals:
            said.append(f"The models {self.evaluation.learned_from}.")
        said += [f"Signals: {note}" for note in self.evaluation.notes]
        return "\n".join([*said, *(f"Left out: {name.replace('_', ' ')}: {reason}" for name, reason in self.plan.left_out().items())])

    def document(self) -> dict[str, Any]:
        """The same as one JSON document."""
        return {
            "version": self.deployment and self.deployment.version,
            "rollout": self.deployment and self.deployment.rollout,
            "accepted": self.accepted,
            "reason": self.reason,
            "plan": self.plan.model_dump(mode="json"),
            "ordered_by": self.evaluation.ordering.ordered_by,
            "evaluation": self.evaluation.model_dump(mode="json"),
            "report": str(self.report),
            "steps": [asdict(step) for step in self.steps],
        }


def _kept_report(artifact: Path, target: Path) -> Path:
    """The newest run's report under a name that a browser opens."""
    replace_bytes(target, artifact.read_bytes())
    return target
