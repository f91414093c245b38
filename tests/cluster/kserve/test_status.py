"""What an InferenceService's status says in Standard mode, and how it says what is wrong."""

from typing import Any

import pytest

from tests.cluster.kserve.shelf import Service, Shelf, runtime


def test_the_status_has_the_conditions_and_addresses_of_standard_mode(shelf: Shelf) -> None:
    shelf.apply(Service("shape"))
    shelf.until(lambda: shelf.is_ready("shape"), "ready")
    status = shelf.status("shape")
    conditions = {each["type"]: (each["status"], each.get("severity", "")) for each in status["conditions"]}
    assert conditions == {
        "IngressReady": ("True", ""),
        "PredictorReady": ("True", ""),
        "Ready": ("True", ""),
        "Stopped": ("False", "Info"),
    }
    assert status["url"] == f"http://shape-{shelf.namespace}.example.com"
    assert status["address"]["url"] == f"http://shape-predictor.{shelf.namespace}.svc.cluster.local"
    assert "latestCreatedRevision" not in status["components"]["predictor"]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (None, "RuntimeNotRecognized"),
        ({"disabled": True}, "RuntimeDisabled"),
        ({"protocolVersions": ["v2"]}, "NoSupportingRuntime"),
        ({"supportedModelFormats": [{"name": "onnx"}]}, "NoSupportingRuntime"),
    ],
)
def test_a_runtime_that_is_missing_or_unfit_is_an_invalid_spec(shelf: Shelf, spec: dict[str, Any] | None, reason: str) -> None:
    name = f"unfit-{'-'.join(spec or {'missing': 1}).lower()}"
    if spec is not None:
        shelf.apply_runtime(runtime(name, **spec))
    shelf.apply(Service(name, model={"runtime": name, "protocolVersion": "v1"}))
    shelf.reconcile()
    status = shelf.status(name)
    assert status["modelStatus"]["transitionStatus"] == "InvalidSpec"
    assert status["modelStatus"]["lastFailureInfo"]["reason"] == reason
    assert shelf.condition(name)["status"] == "Unknown"
    shelf.apply_runtime(runtime(name, disabled=False, protocolVersions=["v1"]))
    shelf.until(lambda: shelf.is_ready(name), "ready with a fit runtime")
    assert shelf.status(name)["modelStatus"]["transitionStatus"] == "UpToDate"


def test_a_service_that_comes_before_its_runtime_warns_and_heals(shelf: Shelf) -> None:
    shelf.apply(Service("early", model={"runtime": "late"}))
    shelf.reconcile()
    shelf.reconcile()
    selector = "involvedObject.name=early,involvedObject.kind=InferenceService,type=Warning"
    columns = "custom-columns=:reason,:message"
    found = shelf.kubectl("get", "events", "--namespace", shelf.namespace, "--field-selector", selector, "--no-headers", "-o", columns)
    assert found.split(maxsplit=1) == ["InternalError", "No ServingRuntimes or ClusterServingRuntimes with the name: late\n"]
    shelf.apply_runtime(runtime("late"))
    shelf.until(lambda: shelf.is_ready("early"), "ready")


def test_a_runtime_that_goes_makes_a_service_that_was_ready_not_ready(shelf: Shelf) -> None:
    shelf.apply_runtime(runtime("leaving"))
    shelf.apply(Service("left", model={"runtime": "leaving"}))
    shelf.until(lambda: shelf.is_ready("left"), "ready")
    shelf.kubectl("delete", "servingruntime", "leaving", "--namespace", shelf.namespace)
    shelf.reconcile()
    assert shelf.condition("left")["status"] == "False"


def test_a_load_that_fails_is_said_with_its_message_and_remembered(shelf: Shelf) -> None:
    def transition() -> str:
        return str(shelf.status("broken").get("modelStatus", {}).get("transitionStatus"))

    shelf.stand_in.fail("broken")
    shelf.apply(Service("broken"))
    shelf.until(lambda: transition() == "BlockedByFailedLoad", "failure")
    failure = shelf.status("broken")["modelStatus"]["lastFailureInfo"]
    assert (failure["reason"], failure["message"]) == ("ModelLoadFailed", "the model could not be loaded")
    shelf.stand_in.release("broken")
    shelf.until(lambda: transition() == "UpToDate", "loaded")
    assert shelf.status("broken")["modelStatus"]["lastFailureInfo"] == failure


def test_a_load_that_fails_in_a_rolling_update_is_not_said_while_the_old_pods_serve(shelf: Shelf) -> None:
    shelf.apply(Service("rolled"))
    shelf.until(lambda: shelf.is_ready("rolled"), "ready")
    shelf.stand_in.fail("rolled")
    shelf.apply(Service("rolled", model={"storageUri": "pvc://bundles/2"}))
    shelf.until(lambda: shelf.status("rolled")["modelStatus"]["copies"]["totalCopies"] == 2, "the new pod beside the old one")
    shelf.reconcile()
    assert shelf.status("rolled")["modelStatus"]["transitionStatus"] == "UpToDate"
    assert shelf.is_ready("rolled")


def test_a_host_that_is_too_long_is_found_out_after_the_object_is_stored(shelf: Shelf) -> None:
    longest = "a" * (63 - len(f"-predictor-{shelf.namespace}"))
    for name in (longest, f"{longest}a"):
        shelf.apply(Service(name))
    shelf.until(lambda: shelf.is_ready(longest), "the longest name ready")
    condition = shelf.condition(f"{longest}a")
    assert (condition["status"], condition["reason"]) == ("False", "ReconcileFailed")
    assert condition["message"].startswith("fails to create NewRawKubeReconciler for predictor")
    assert "no more than 63 characters" in condition["message"]


def test_a_scale_out_without_unavailable_pods_makes_a_service_not_ready_until_they_are(shelf: Shelf) -> None:
    shelf.apply(Service("wide", predictor={"maxReplicas": 3}))
    shelf.until(lambda: shelf.is_ready("wide"), "ready")
    shelf.stand_in.hold("wide")
    shelf.scale("wide", 2)
    shelf.until(lambda: shelf.condition("wide")["status"] == "False", "not ready")
    assert shelf.condition("wide")["reason"] == "MinimumReplicasUnavailable"
    shelf.stand_in.release("wide")
    shelf.until(lambda: shelf.is_ready("wide"), "ready again")


def test_pods_that_are_not_made_for_want_of_a_secret_are_said_in_the_status(shelf: Shelf, webhooks: None) -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "storage", "namespace": shelf.namespace}}
    shelf.objects.create({**account, "secrets": [{"name": "credentials"}]})
    shelf.apply(Service("keyless", predictor={"serviceAccountName": "storage"}, model={"storageUri": "s3://bundles/1"}))
    shelf.until(lambda: shelf.condition("keyless").get("reason") == "FailedCreate", "the failure of the ReplicaSet")
    assert shelf.condition("keyless")["status"] == "False"
    assert 'secrets "credentials" not found' in shelf.condition("keyless")["message"]
