"""`minReplicas` of an InferenceService, and who wrote it."""

from typing import Any

import pytest

from endcap_rollout_operator.kserve.replicas import (
    REPLICAS_MANAGER,
    available_pods,
    is_held,
    is_made_for,
    pods_of,
    replica_failure,
    replicas_patch,
    unsettled,
)
from endcap_rollout_operator.state.observed_state import Pods
from tests.services.rollout_operator.documents import stable


def managed(manager: str, *fields: str) -> dict[str, Any]:
    return {"manager": manager, "fieldsV1": {"f:spec": {"f:predictor": {f"f:{field}": {} for field in fields}}}}


@pytest.mark.parametrize(
    ("managers", "held"),
    [
        ([managed(REPLICAS_MANAGER, "minReplicas"), managed("helm", "maxReplicas")], True),
        ([managed("kubectl-edit", "minReplicas")], False),
        ([managed(REPLICAS_MANAGER, "timeout"), managed("helm", "minReplicas")], False),
        ([], False),
    ],
)
def test_they_are_the_operators_as_long_as_its_manager_has_them(managers: list[dict[str, Any]], held: bool) -> None:
    document = stable()
    document["metadata"]["managedFields"] = managers
    assert is_held(document) == held


def test_a_bound_of_0_is_none() -> None:
    assert pods_of(stable(maxReplicas=0), 2) == Pods(available=2, min_replicas=2, max_replicas=None)
    assert pods_of(stable(maxReplicas=7), 2).max_replicas == 7


def test_another_number_is_written_only_over_the_one_that_was_read() -> None:
    assert replicas_patch(stable(), 2) == []
    path = "/spec/predictor/minReplicas"
    assert replicas_patch(stable(), 3) == [{"op": "test", "path": path, "value": 2}, {"op": "add", "path": path, "value": 3}]
    assert replicas_patch(stable(), None)[-1] == {"op": "remove", "path": path}
    without = stable()
    del without["spec"]["predictor"]["minReplicas"]
    assert replicas_patch(without, 3)[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}


BUNDLE = "pvc://bundles/1"


def deployment(source: str = BUNDLE, observed: int = 3, **status: Any) -> dict[str, Any]:
    annotations = {"internal.serving.kserve.io/storage-initializer-sourceuri": source}
    return {
        "metadata": {"generation": 3},
        "spec": {"replicas": 4, "template": {"metadata": {"annotations": annotations}}},
        "status": {"observedGeneration": observed, **status},
    }


def test_a_scale_out_or_a_lost_pod_leaves_it_settled_while_enough_are_available() -> None:
    scaling_out = deployment(replicas=4, updatedReplicas=4, availableReplicas=2)
    assert unsettled(scaling_out, BUNDLE, needed=2) is None
    assert unsettled(scaling_out, BUNDLE, needed=3) == "4 pods are new, 0 old, 2 available of 3 needed"
    assert available_pods(scaling_out) == 2


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "has not made"),
        (deployment("pvc://bundles/0", replicas=2, updatedReplicas=2, availableReplicas=2), "has not taken"),
        (deployment(observed=2, replicas=2, updatedReplicas=2, availableReplicas=2), "looked at"),
        (deployment(replicas=3, updatedReplicas=2, availableReplicas=3), "1 old"),
        (deployment(), "0 available of 2 needed"),
    ],
)
def test_it_is_settled_only_when_all_its_pods_serve_the_bundle(found: dict[str, Any] | None, why: str) -> None:
    assert why in (unsettled(found, BUNDLE, needed=2) or "")


def test_a_deployment_that_is_not_there_has_no_pods_and_serves_nothing() -> None:
    assert (available_pods(None), is_made_for(None, BUNDLE), replica_failure(None)) == (0, False, None)
    assert is_made_for(deployment(), BUNDLE) and not is_made_for(deployment(), "pvc://bundles/2")


def test_why_no_pods_can_be_made_is_said() -> None:
    message = 'pods "endcap-predictor-1" is forbidden: exceeded quota: pods'
    failing = deployment(conditions=[{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}])
    assert replica_failure(failing) == f"no pods can be made: {message}"
    assert message in (unsettled(failing, BUNDLE, needed=1) or "")
    over = deployment(conditions=[{"type": "ReplicaFailure", "status": "False", "message": message}])
    assert replica_failure(over) is None
