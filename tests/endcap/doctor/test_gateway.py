"""Gateway API: the route's fields, and a Gateway that takes routes of the namespace."""

from typing import Any

import pytest

from endcap.doctor.check import Outcome
from endcap.doctor.checks import gateway
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import CRDS, made_cluster, made_release, outcome

ROUTES = f"{CRDS}/httproutes.gateway.networking.k8s.io"
GATEWAY = "/apis/gateway.networking.k8s.io/v1/namespaces/{}/gateways/{}"
CLASS = "/apis/gateway.networking.k8s.io/v1/gatewayclasses/endcap-gateway"


def _definition(*fields: str) -> dict[str, Any]:
    rules = {"type": "array", "items": {"properties": {field: {} for field in fields}}}
    schema = {"openAPIV3Schema": {"properties": {"spec": {"properties": {"rules": rules}}}}}
    annotations = {"gateway.networking.k8s.io/bundle-version": "v1.3.0", "gateway.networking.k8s.io/channel": "standard"}
    return {"metadata": {"annotations": annotations}, "spec": {"versions": [{"name": "v1", "schema": schema}]}}


def _gateway(programmed: str = "True", **listener: Any) -> dict[str, Any]:
    conditions = [{"type": "Programmed", "status": programmed, "reason": "Invalid"}]
    return {"spec": {"listeners": [{"name": "http", **listener}]}, "status": {"conditions": conditions}}


def _found(values: dict[str, Any], name: str, answers: dict[str, Any]) -> Outcome:
    found = outcome(gateway.checks(made_release(values, profile="gpu")), name, made_cluster(answers))
    assert found is not None
    return found


def test_a_definition_without_the_fields_of_the_chart_s_rules_is_a_gap() -> None:
    old = _found({}, "version", {ROUTES: _definition("matches", "timeouts")})
    assert old.state is State.GAP
    assert "v1.3.0, standard channel: rules have no name" in old.found
    assert _found({}, "version", {ROUTES: _definition("name", "timeouts")}).state is State.OK
    assert _found({}, "version", {ROUTES: _definition()}).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (None, State.GAP),
        (_gateway(), State.OK),
        (_gateway("False"), State.GAP),
        (_gateway("Unknown"), State.UNKNOWN),
        ({**_gateway(), "status": {}}, State.WARNING),
        (_gateway(allowedRoutes={"namespaces": {"from": "None"}}), State.GAP),
    ],
)
def test_the_gateway_of_the_values_has_to_be_programmed(found: Any, state: State) -> None:
    answers = {GATEWAY.format("shop", "endcap-gateway"): found} if found else {}
    assert _found({}, "gateway-endcap-gateway", answers).state is state


def _namespaces(**given: Any) -> dict[str, Any]:
    return {"allowedRoutes": {"namespaces": given}}


@pytest.mark.parametrize(
    ("listener", "state"),
    [
        ({}, State.GAP),
        (_namespaces(**{"from": "All"}), State.OK),
        (_namespaces(**{"from": "Selector"}, selector={"matchLabels": {"routes": "yes"}}), State.OK),
        (_namespaces(**{"from": "Selector"}, selector={"matchLabels": {"routes": "no"}}), State.GAP),
    ],
)
def test_a_gateway_of_another_namespace_has_to_take_routes_of_this_one(listener: dict[str, Any], state: State) -> None:
    values = {"route": {"parentRefs": [{"name": "front", "namespace": "gateways"}]}}
    answers = {
        GATEWAY.format("gateways", "front"): _gateway(**listener),
        "/api/v1/namespaces/shop": {"metadata": {"labels": {"routes": "yes"}}},
    }
    assert _found(values, "gateway-front", answers).state is state


def test_only_the_listener_that_is_named_counts() -> None:
    values = {"route": {"parentRefs": [{"name": "front", "sectionName": "https"}]}}
    front = _gateway(**_namespaces(**{"from": "All"}))
    assert _found(values, "gateway-front-https", {GATEWAY.format("shop", "front"): front}).state is State.GAP


def test_the_class_of_a_gateway_that_is_made_has_to_be_accepted() -> None:
    values = {"route": {"gateway": {"create": True, "className": "endcap-gateway"}}}
    spec = {"controllerName": "example.com/gateway"}
    accepted = {"spec": spec, "status": {"conditions": [{"type": "Accepted", "status": "True"}]}}
    assert _found(values, "class", {CLASS: accepted}) == Outcome(State.OK, "example.com/gateway")
    refused = {"spec": spec, "status": {"conditions": [{"type": "Accepted", "status": "False", "message": "no such parameters"}]}}
    assert "no such parameters" in _found(values, "class", {CLASS: refused}).found
    assert _found(values, "class", {}).state is State.GAP


def test_without_a_route_nothing_is_looked_at() -> None:
    assert list(gateway.checks(made_release({"route": {"enabled": False}}))) == []


def test_gateways_of_the_collector_s_route_are_looked_at_too() -> None:
    takes_all = _gateway(allowedRoutes={"namespaces": {"from": "All"}})
    answers = {GATEWAY.format("edge", "events"): takes_all, GATEWAY.format("shop", "endcap-gateway"): _gateway()}
    collector = {"enabled": True, "secretName": "keys", "route": {"enabled": True, "parentRefs": [{"name": "events", "namespace": "edge"}]}}
    assert _found({"collector": collector}, "gateway-events", answers).state is State.OK
    assert _found({"collector": collector}, "gateway-endcap-gateway", answers).state is State.OK
    alone = {"collector": collector, "route": {"enabled": False}}
    names = [check.name for check in gateway.checks(made_release(alone, profile="gpu"))]
    assert names == ["version", "gateway-events"]


def test_one_gateway_of_both_routes_is_looked_at_once() -> None:
    collector = {"enabled": True, "secretName": "keys", "route": {"enabled": True}}
    names = [check.name for check in gateway.checks(made_release({"collector": collector}, profile="gpu"))]
    assert names == ["version", "gateway-endcap-gateway"]
