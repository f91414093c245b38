"""`minReplicas` of an InferenceService, and who wrote it."""

from typing import Any

import pytest

from endcap_rollout_operator.kserve.replicas import REPLICAS_MANAGER, is_held, pods_of, replicas_patch
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
