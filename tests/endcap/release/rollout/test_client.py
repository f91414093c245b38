"""Defaults of new rollouts, and the resource that is made of them."""

from pathlib import Path

import pytest

from endcap.contracts.rollout import DEFAULT_GUARDRAILS, DEFAULT_STEPS
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.settings import RolloutSettings, Settings
from endcap.release.rollout.api_server import Conflict
from endcap.release.rollout.client import create_rollout, read_defaults, rollout_document
from endcap.release.rollout.resource import parse_rollout, status_document
from tests.services.rollout_operator.state.made_cluster import MadeCluster, made_rollout, made_spec


def test_without_a_file_the_defaults_are_endcaps_own() -> None:
    defaults = read_defaults(None)
    assert (defaults.steps, defaults.analysis.guardrails) == (DEFAULT_STEPS, DEFAULT_GUARDRAILS)


def test_a_file_replaces_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "rollouts.yaml"
    file.write_text("steps:\n- setWeight: 10\n  pause: {minRequests: 5}\nprogressDeadlineSeconds: 60\n")
    defaults = read_defaults(file)
    assert (defaults.steps[0].pause.min_requests, defaults.progress_deadline_seconds) == (5, 60)
    assert defaults.analysis.guardrails == DEFAULT_GUARDRAILS
    file.write_text("")
    assert read_defaults(file).steps == DEFAULT_STEPS


@pytest.mark.parametrize(
    ("content", "message"), [("steps: [{setWeight: 200}]", r"steps\.0\.setWeight"), ("pace: slow", "pace"), ("a: [", "read")]
)
def test_a_file_that_cannot_be_used_is_named_with_the_field(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "rollouts.yaml"
    file.write_text(content)
    with pytest.raises(InvalidInput, match=message):
        read_defaults(file)


def test_a_resource_that_is_written_and_read_is_the_same() -> None:
    made = MadeCluster(made_rollout(made_spec())).run_to_end()
    server_made = {"namespace": "shop", "uid": "u2", "resourceVersion": "7", "creationTimestamp": "2026-11-24T12:00:00Z", "generation": 1}
    document = rollout_document("endcap-2", made.rollout.spec)
    document["metadata"] |= server_made
    document["status"] = {name: value for name, value in status_document(made.status).items() if value is not None}
    read = parse_rollout(document)
    assert (read.spec, read.status, read.name) == (made.rollout.spec, made.status, "endcap-2")


def test_an_empty_status_field_is_null_so_that_a_merge_takes_it_out() -> None:
    document = status_document(made_rollout().status)
    assert document["pausedAt"] is None and "pausedAt" in document


def test_a_resource_that_cannot_be_read_names_the_field() -> None:
    metadata = {"name": "odd", "namespace": "shop", "uid": "u", "resourceVersion": "1", "creationTimestamp": "2026-11-24T12:00:00Z"}
    with pytest.raises(InvalidInput, match="odd: target"):
        parse_rollout({"metadata": metadata, "spec": {"target": "", "bundle": {}, "steps": []}})


class Racing:
    """An API server on which somebody else creates the Rollout first, or which fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get(self, *_: object) -> None:
        return None

    def create(self, *_: object) -> None:
        raise self._error


def create(error: Exception) -> str:
    settings = Settings(rollouts=RolloutSettings(target="endcap", bundle_store="/bundles", storage_uri="pvc://claim/bundles"))
    return create_rollout(settings, made_spec().bundle, api_server=Racing(error))  # type: ignore[arg-type]


def test_a_rollout_that_somebody_creates_at_the_same_moment_is_taken() -> None:
    assert create(Conflict("there is one")) == "endcap-2"


def test_a_rollout_that_cannot_be_created_is_an_error() -> None:
    with pytest.raises(DependencyUnavailable, match="away"):
        create(DependencyUnavailable("away"))
