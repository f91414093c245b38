"""What a run on this machine came to, for a person and as one document."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from endcap.contracts.evaluation import Evaluation, Figure, Shown
from endcap.contracts.training_plan import PLAN_NAME
from endcap.core.errors import EndcapError
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import RECORD_NAME, Deployment, write_deployment
from endcap_pipelines.local_run import LocalRun
from endcap_pipelines.results import TrainingResult
from endcap_pipelines.step_display import StepRun
from tests.endcap.conftest import made_evaluation
from tests.endcap.training.made_plan import made_plan

LEFT_OUT = "Left out: complements: 2 baskets with two items"
Finish = Callable[..., TrainingResult]


@pytest.fixture
def finish(tmp_path: Path) -> Finish:
    """The result of a run that the gate accepted or not, with or without its last step."""

    def finished(*, accepted: bool, deployed: bool, deployment: Deployment | None = None, shown: Shown | None = None) -> TrainingResult:
        evaluation: Evaluation = made_evaluation(shown=shown)
        (tmp_path / "evaluation.json").write_text(evaluation.model_dump_json())
        (tmp_path / "page.html").write_text("<html>")
        (tmp_path / PLAN_NAME).write_text(made_plan(untrained={"complements": "2 baskets with two items"}).model_dump_json())
        folder = SimpleNamespace(path=str(tmp_path))
        artifacts = {"plan": folder, "evaluation": folder, "report": SimpleNamespace(path=str(tmp_path / "page.html"))}
        if deployment is not None:
            write_deployment(tmp_path, deployment)
        steps = [StepRun(name=name, state="done", seconds=1.0) for name in ("gate", *(["deploy-bundle"] if deployed else []))]
        done = LocalRun({**artifacts, "accepted": accepted, "reason": "better by 0.01"}, steps, tmp_path / "run.log")
        return TrainingResult.of(done, Settings(home=tmp_path))

    return finished


def test_a_bundle_that_is_served_is_named(finish: Finish) -> None:
    result = finish(accepted=True, deployed=True, deployment=Deployment(version=7))
    assert result.summary() == f"Accepted: better by 0.01\nBundle endcap-7 is deployed\n{LEFT_OUT}"
    assert (result.document()["version"], result.document()["rollout"]) == (7, None)


def test_a_cap_that_ruins_the_list_is_a_warning(finish: Finish) -> None:
    loss = Figure(mean=-0.2, low=-0.3, high=-0.1)
    shown = Shown(surface="home", loss=loss, steps={}, warning="the cap of 4 items takes 0.2")
    result = finish(accepted=True, deployed=True, deployment=Deployment(version=7), shown=shown)
    assert result.summary() == f"Accepted: better by 0.01\nWarning: the cap of 4 items takes 0.2\nBundle endcap-7 is deployed\n{LEFT_OUT}"
    assert result.document()["ordered_by"] == "ranker"


def test_a_value_of_what_was_not_trained_is_a_warning(finish: Finish) -> None:
    nothing = Figure(mean=0.0, low=0.0, high=0.0)
    shown = Shown(surface="home", loss=nothing, steps={}, value={"buy": 1.0}, ignored=["view"])
    result = finish(accepted=True, deployed=True, deployment=Deployment(version=7), shown=shown)
    assert "\nWarning: nothing was trained for view, which the value of surface home names\n" in result.summary()


def test_a_rollout_is_named_with_the_command_that_shows_it(finish: Finish) -> None:
    result = finish(accepted=True, deployed=True, deployment=Deployment(version=7, rollout="endcap-7"))
    assert result.summary() == f"Accepted: better by 0.01\nrollout endcap-7 created; watch it: endcap rollout show endcap-7\n{LEFT_OUT}"
    assert (result.document()["version"], result.document()["rollout"]) == (7, "endcap-7")


def test_a_refused_bundle_has_no_deployment_though_an_older_one_had(finish: Finish) -> None:
    result = finish(accepted=False, deployed=False, deployment=Deployment(version=6))
    assert result.summary() == f"Refused: better by 0.01\n{LEFT_OUT}"
    assert result.document()["version"] is None


@pytest.mark.parametrize(("accepted", "deployed"), [(True, False), (False, True)])
def test_a_decision_that_was_not_followed_is_an_error(finish: Finish, accepted: bool, deployed: bool) -> None:
    with pytest.raises(EndcapError, match="do not fit that"):
        finish(accepted=accepted, deployed=deployed)


def test_an_accepted_bundle_without_a_record_of_its_deployment_is_an_error_and_not_refused(finish: Finish, tmp_path: Path) -> None:
    with pytest.raises(EndcapError, match="deploy-bundle: the step left no record"):
        finish(accepted=True, deployed=True)
    (tmp_path / RECORD_NAME).write_text("{")
    with pytest.raises(EndcapError, match="cannot be read"):
        finish(accepted=True, deployed=True)
