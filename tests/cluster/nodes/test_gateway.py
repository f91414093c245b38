"""The gateway's draws, and the scheduler's choice, by objects written here."""

import random
from collections import Counter
from typing import Any

from tests.cluster.nodes.route_backends import RouteBackends
from tests.cluster.nodes.scheduler import choose_node


def _route(**weights: int) -> dict[str, Any]:
    backends = [{"name": name, "weight": weight} for name, weight in weights.items()]
    return {"spec": {"rules": [{"name": "variant-b", "backendRefs": [{"name": "other"}]}, {"name": "traffic", "backendRefs": backends}]}}


def _slice(uid: str, service: str, *endpoints: tuple[str, bool | None]) -> dict[str, Any]:
    listed = [{"addresses": [address], "conditions": {"ready": ready}} for address, ready in endpoints]
    return {"metadata": {"uid": uid, "labels": {"kubernetes.io/service-name": service}}, "endpoints": listed}


def _backends(**weights: int) -> RouteBackends:
    made = RouteBackends("traffic", random.Random(7))
    made.change_route(_route(**weights))
    return made


def test_requests_are_divided_by_weight_and_evenly_among_pods() -> None:
    backends = _backends(stable=90, candidate=10)
    backends.change_slice("ADDED", _slice("1", "stable", ("10.0.0.1", True), ("10.0.0.2", True)))
    backends.change_slice("ADDED", _slice("2", "candidate", ("10.0.0.3", True)))
    drawn = Counter(backends.choose() for _ in range(10_000))
    assert 800 < drawn["10.0.0.3"] < 1_200
    assert abs(drawn["10.0.0.1"] - drawn["10.0.0.2"]) < 500


def test_an_endpoint_that_is_not_ready_gets_no_request() -> None:
    backends = _backends(stable=100)
    backends.change_slice("ADDED", _slice("1", "stable", ("10.0.0.1", True), ("10.0.0.2", False), ("10.0.0.3", None)))
    assert {backends.choose() for _ in range(100)} == {"10.0.0.1", "10.0.0.3"}
    backends.change_slice("MODIFIED", _slice("1", "stable", ("10.0.0.1", False)))
    assert backends.choose() is None


def test_the_share_of_a_backend_without_pods_goes_to_no_other() -> None:
    backends = _backends(stable=50, candidate=50)
    backends.change_slice("ADDED", _slice("1", "stable", ("10.0.0.1", True)))
    drawn = Counter(backends.choose() for _ in range(1_000))
    assert 400 < drawn[None] < 600


def test_a_service_has_endpoints_from_when_the_route_sends_to_it() -> None:
    backends = RouteBackends("traffic", random.Random(7))
    backends.change_slice("ADDED", _slice("1", "stable", ("10.0.0.1", True)))
    assert backends.endpoints("stable") == []
    backends.change_route(_route(stable=100, candidate=0))
    assert backends.endpoints("stable") == ["10.0.0.1"]
    assert backends.endpoints("candidate") == []


def test_a_slice_that_is_deleted_takes_its_endpoints_with_it() -> None:
    backends = _backends(stable=100)
    backends.change_slice("ADDED", _slice("1", "stable", ("10.0.0.1", True)))
    backends.change_slice("DELETED", _slice("1", "stable"))
    assert backends.choose() is None


def _node(name: str, cordoned: bool = False) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"unschedulable": cordoned},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def _pod(node: str | None, target: str, deleted: bool = False) -> dict[str, Any]:
    spread = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"target": target}}}
    metadata = {"labels": {"target": target}, **({"deletionTimestamp": "2026-11-01T00:00:00Z"} if deleted else {})}
    return {"metadata": metadata, "spec": {"topologySpreadConstraints": [spread], **({"nodeName": node} if node else {})}}


def test_pods_of_one_spread_go_to_the_node_that_has_the_fewest() -> None:
    bound = [_pod("a", "shelf"), _pod("b", "basket"), _pod("b", "basket"), _pod("c", "shelf")]
    assert choose_node(_pod(None, "shelf"), [_node("a"), _node("b"), _node("c")], bound) == "b"


def test_a_pod_that_is_being_deleted_does_not_count_for_the_spread() -> None:
    assert choose_node(_pod(None, "shelf"), [_node("a"), _node("b")], [_pod("a", "shelf", deleted=True), _pod("b", "shelf")]) == "a"


def test_a_cordoned_node_gets_no_pod() -> None:
    assert choose_node(_pod(None, "shelf"), [_node("a", cordoned=True), _node("b")], [_pod("b", "shelf")]) == "b"
    assert choose_node(_pod(None, "shelf"), [_node("a", cordoned=True)], []) is None
