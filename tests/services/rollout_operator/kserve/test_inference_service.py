"""What an InferenceService says about itself."""

from typing import Any

import pytest

from endcap.contracts.rollout import Served
from endcap_rollout_operator.kserve.inference_service import (
    absent,
    bundle_patch,
    fingerprint,
    is_ready,
    load_failure,
    mode_of,
    model_restarts,
    served_by,
    spec_failure,
    unready_message,
)
from tests.services.rollout_operator.documents import stable


def test_its_bundle_is_read_from_spec_and_annotations() -> None:
    assert served_by(stable()) == Served(version=1, storage_uri="pvc://bundles/1", collection="endcap_1")
    unknown = stable()
    unknown["metadata"]["annotations"] = {"endcap.dev/bundle": "latest"}
    assert served_by(unknown) == Served(storage_uri="pvc://bundles/1")


@pytest.mark.parametrize(
    ("requested", "found", "mode"),
    [
        ("Standard", None, "Standard"),
        ("RawDeployment", None, "Standard"),
        ("Serverless", None, "Knative"),
        (None, "Knative", "Knative"),
        (None, None, None),
        ("ModelMesh", None, None),
    ],
)
def test_its_mode_is_requested_or_found(requested: str | None, found: str | None, mode: str | None) -> None:
    document: dict[str, Any] = {"metadata": {"annotations": {"serving.kserve.io/deploymentMode": requested} if requested else {}}}
    document["status"] = {"deploymentMode": found} if found else {}
    assert mode_of(document) == mode


def test_its_fingerprint_changes_with_all_but_bundle_weight_and_min_replicas() -> None:
    same = stable(canaryTrafficPercent=5, minReplicas=3)
    same["spec"]["predictor"]["model"]["storageUri"] = "pvc://bundles/2"
    assert fingerprint(same) == fingerprint(stable())
    assert fingerprint(stable(maxReplicas=3)) != fingerprint(stable())
    other = stable()
    other["spec"]["predictor"]["model"]["runtime"] = "another"
    assert fingerprint(other) != fingerprint(stable())


def test_it_is_ready_when_kserve_says_so_and_it_stays() -> None:
    document = stable()
    assert not is_ready(document) and "not looked" in unready_message(document)
    document["status"] = {"conditions": [{"type": "Ready", "status": "False", "message": "no node has a GPU"}]}
    assert not is_ready(document) and unready_message(document) == "no node has a GPU"
    document["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert is_ready(document)
    document["metadata"]["deletionTimestamp"] = "2026-11-24T12:00:00Z"
    assert not is_ready(document)


def test_one_that_is_missing_going_or_of_another_kind_is_no_target() -> None:
    missing, going, odd = absent(None, "endcap"), stable(), stable()
    assert missing is not None and missing.is_gone
    going["metadata"]["deletionTimestamp"] = "2026-11-24T12:00:00Z"
    gone = absent(going, "endcap")
    assert gone is not None and gone.is_gone
    del odd["spec"]["predictor"]["model"]
    unfit = absent(odd, "endcap")
    assert unfit is not None and not unfit.is_gone
    assert absent(stable(), "endcap") is None


def test_a_bundle_without_a_version_takes_the_annotations_off() -> None:
    patch = bundle_patch(stable(), Served(storage_uri="pvc://bundles/0"))
    removed = [each["path"] for each in patch if each["op"] == "remove"]
    assert removed == ["/metadata/annotations/endcap.dev~1bundle", "/metadata/annotations/endcap.dev~1collection"]


def test_a_bundle_is_written_only_over_the_one_that_was_read() -> None:
    test, *_, change = bundle_patch(stable(), Served(version=2, storage_uri="pvc://bundles/2", collection="endcap_2"))
    assert test == {"op": "test", "path": "/spec/predictor/model/storageUri", "value": "pvc://bundles/1"}
    assert change == {"op": "replace", "path": "/spec/predictor/model/storageUri", "value": "pvc://bundles/2"}


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
