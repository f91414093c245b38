"""What KServe says about the loading of a model."""

from typing import Any

import pytest

from endcap_rollout_operator.kserve.model_status import load_failure, model_restarts, spec_failure
from tests.services.rollout_operator.documents import stable


def with_model_status(transition: str, **failure: Any) -> dict[str, Any]:
    document = stable()
    document["status"] = {"modelStatus": {"transitionStatus": transition, **({"lastFailureInfo": failure} if failure else {})}}
    return document


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        ({"reason": "ModelLoadFailed", "message": "no such file", "exitCode": 137}, "ModelLoadFailed: no such file (exit code 137)"),
        ({"reason": "ModelLoadFailed"}, "ModelLoadFailed"),
        ({}, "BlockedByFailedLoad"),
    ],
)
def test_a_failed_load_is_said_with_what_is_known(failure: dict[str, Any], said: str) -> None:
    document = with_model_status("BlockedByFailedLoad", **failure)
    assert (load_failure(document), spec_failure(document)) == (said, None)


def test_a_spec_that_is_not_tried_is_no_failed_load() -> None:
    document = with_model_status("InvalidSpec", reason="RuntimeNotRecognized", message="no such runtime")
    assert (load_failure(document), spec_failure(document)) == (None, "RuntimeNotRecognized: no such runtime")


def test_an_old_failure_of_a_model_that_loads_is_none() -> None:
    assert load_failure(with_model_status("UpToDate", reason="ModelLoadFailed")) is None
    assert load_failure(stable()) is None


def test_restarts_are_those_of_the_model_container_in_the_worst_pod() -> None:
    def pod(model: int, transformer: int) -> dict[str, Any]:
        counts = {"kserve-container": model, "transformer-container": transformer}
        return {"status": {"containerStatuses": [{"name": name, "restartCount": count} for name, count in counts.items()]}}

    assert model_restarts([pod(0, 9), pod(2, 0), {"status": {}}]) == 2
    assert model_restarts([]) == 0
