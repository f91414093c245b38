"""The rule `traffic` of an HTTPRoute."""

import pytest

from endcap_rollout_operator.kserve.standard import traffic_rule, weight_of, weight_patch
from tests.services.rollout_operator.documents import backend, route

STABLE, CANDIDATE = "endcap-predictor", "endcap-candidate-predictor"


@pytest.mark.parametrize(
    ("backends", "weight"),
    [
        ([backend(STABLE)], 0),
        ([backend(STABLE, None)], 0),
        ([backend(STABLE, 95), backend(CANDIDATE, 5)], 5),
        ([backend(STABLE, 0), backend(CANDIDATE, 100)], 100),
        ([backend(STABLE, 3), backend(CANDIDATE, 1)], 25),
        ([backend(STABLE, None), backend(CANDIDATE, None)], 50),
        ([backend(STABLE, 90), backend("stranger", 10)], None),
        ([backend(CANDIDATE)], None),
        ([backend(STABLE, 0)], None),
        ([], None),
    ],
)
def test_the_candidates_share(backends: list[dict[str, object]], weight: int | None) -> None:
    rule = traffic_rule(route(*backends))
    assert rule is not None and weight_of(rule, "endcap") == weight


@pytest.mark.parametrize("weight", [0, 1, 50, 100])
def test_what_is_written_is_read_again(weight: int) -> None:
    test, change = weight_patch(route(backend(STABLE)), "endcap", weight)
    assert (test["op"], change["path"]) == ("test", "/spec/rules/1/backendRefs")
    assert weight_of({"backendRefs": change["value"]}, "endcap") == weight
    assert (len(change["value"]) == 1) == (weight == 0)


def test_only_the_backends_of_its_rule_are_written_and_only_if_the_rule_is_as_it_was() -> None:
    before = route(backend(STABLE))
    test, change = weight_patch(before, "endcap", 5)
    assert test == {"op": "test", "path": "/spec/rules/1", "value": before["spec"]["rules"][1]}
    assert change["value"] == [backend(STABLE, 95), backend(CANDIDATE, 5)]
    assert before == route(backend(STABLE)), "what was read is not changed"


def test_a_route_without_the_rule_has_none() -> None:
    assert traffic_rule({"spec": {"rules": [{"name": "other"}]}}) is None
    assert traffic_rule({"spec": {}}) is None
