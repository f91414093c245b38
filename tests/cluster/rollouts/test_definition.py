"""What the API server refuses before the operator would see it."""

from typing import Any

import pytest

from endcap.contracts.rollout import RolloutBundle, RolloutSpec, Step
from endcap.core.errors import InvalidInput
from endcap.release.rollout.api_server import ROLLOUTS, ApiServer
from endcap.release.rollout.client import rollout_document
from endcap.release.rollout.resource import parse_rollout
from tests.cluster.cluster import Cluster

BUNDLE = RolloutBundle(version=20261124110000, storage_uri="pvc://bundles/2", collection="endcap_2")


@pytest.fixture
def server(cluster: Cluster, namespace: str, definition: None) -> Any:
    """Of a namespace without an operator."""
    with cluster.api_client() as api_client:
        yield ApiServer(api_client, namespace)


def document(**spec: Any) -> dict[str, Any]:
    made = rollout_document("shelf", RolloutSpec(target="shelf", bundle=BUNDLE, steps=[Step(set_weight=5), Step(set_weight=50)]))
    made["spec"] |= spec
    return made


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"steps": [{"setWeight": 50}, {"setWeight": 5}]}, "setWeight may not fall"),
        ({"steps": [{"setWeight": 0, "pause": {"minRequests": 5}}]}, "gets no requests"),
        ({"steps": [{"setWeight": 101}]}, "less than or equal to 100"),
        ({"steps": []}, "at least 1 items"),
        ({"steps": [{"setWeight": 5, "pause": {"duration": "5 minutes"}}]}, "should match"),
        ({"analysis": {"guardrails": [{"name": "both", "builtIn": "errorRate", "query": "up", "limit": 1}]}}, "builtIn or query"),
        ({"analysis": {"guardrails": [{"name": "neither", "limit": 1}]}}, "builtIn or query"),
        ({"analysis": {"guardrails": [{"name": "a", "query": "up", "limit": 1}] * 2}}, "Duplicate value"),
        ({"target": "Shelf"}, "should match"),
        ({"bundle": {"version": 2, "storageUri": "pvc://bundles/2"}}, "collection: Required"),
    ],
)
def test_a_rollout_that_makes_no_sense_is_refused(server: ApiServer, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        server.create(ROLLOUTS, document(**spec))


def test_target_and_bundle_cannot_be_changed_and_steps_can(server: ApiServer) -> None:
    server.create(ROLLOUTS, document())
    with pytest.raises(InvalidInput, match="start another rollout"):
        server.merge(ROLLOUTS, "shelf", {"spec": {"bundle": {"version": 3}}})
    with pytest.raises(InvalidInput, match="start another rollout"):
        server.merge(ROLLOUTS, "shelf", {"spec": {"target": "other"}})
    changed = server.merge(ROLLOUTS, "shelf", {"spec": {"steps": [{"setWeight": 7}]}})
    assert parse_rollout(changed).spec.steps[0].pause.duration == "5m"


def test_what_is_left_out_is_what_the_models_say(server: ApiServer) -> None:
    made = document()
    del made["spec"]["analysis"], made["spec"]["progressDeadlineSeconds"]
    found = parse_rollout(server.create(ROLLOUTS, made))
    assert found.spec == RolloutSpec(target="shelf", bundle=BUNDLE, steps=[Step(set_weight=5), Step(set_weight=50)])
