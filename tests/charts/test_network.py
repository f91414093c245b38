"""Network policies: nothing goes in or out of a pod of the release that is not listed."""

from collections.abc import Callable
from typing import Any

from tests.charts.chart import NAMESPACE, Document, containers, environment, of_kind, one

Chart = Callable[..., list[Document]]
OURS = {"app.kubernetes.io/name": "endcap", "app.kubernetes.io/instance": "endcap"}


def _ports(rules: list[Document]) -> set[int]:
    return {port["port"] for rule in rules for port in rule.get("ports", [])}


def test_by_default_nothing_comes_in_and_only_names_are_looked_up(objects: list[Document]) -> None:
    policy = one(objects, "NetworkPolicy", "endcap-default")["spec"]
    assert policy["podSelector"]["matchLabels"] == OURS
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    assert _ports(policy["egress"]) == {53, 5353}


def test_every_egress_rule_names_ports_or_pods(objects: list[Document]) -> None:
    rules = [rule for each in of_kind(objects, "NetworkPolicy") for rule in each["spec"].get("egress", [])]
    assert all(rule.get("ports") or rule.get("to") for rule in rules)


def test_serving_reaches_its_stores_and_no_api_server(rendered: Callable[[str], list[Document]]) -> None:
    assert _ports(one(rendered("production"), "NetworkPolicy", "endcap-serving")["spec"]["egress"]) == {19_530, 6379, 5432, 9092, 4317}


def test_the_operator_reaches_what_its_settings_name(chart: Chart) -> None:
    objects = chart({"monitoring": {"prometheusUrl": "https://prometheus.example.com"}, "mlflow": {"trackingUri": "http://mlflow"}}, "gpu")
    policy = one(objects, "NetworkPolicy", "endcap-rollout-operator")["spec"]
    assert _ports(policy["egress"]) == {443, 6443, 19_530, 80}


def test_only_named_namespaces_call_the_predict_endpoint(rendered: Callable[[str], list[Document]]) -> None:
    calls, scrapes = one(rendered("production"), "NetworkPolicy", "endcap-serving")["spec"]["ingress"]
    assert _ports([calls]) == {8080, 8081}
    assert _namespaces(calls) == ["gateway-system", "storefront"]
    assert _namespaces(scrapes) == ["monitoring"]


def _namespaces(rule: Document) -> list[str]:
    selectors: list[dict[str, Any]] = [each["namespaceSelector"] for each in rule["from"] if "namespaceSelector" in each]
    return [name for each in selectors for name in each["matchExpressions"][0]["values"]]


def test_redis_is_open_to_serving_and_to_steps_that_fill_it(rendered: Callable[[str], list[Document]]) -> None:
    rule = one(rendered("production"), "NetworkPolicy", "endcap-redis")["spec"]["ingress"][0]
    assert _ports([rule]) == {6379}
    steps = next(each for each in rule["from"] if each["podSelector"]["matchLabels"].get("endcap.dev/reaches") == "stores")
    assert steps["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": NAMESPACE}


def _callers(rule: Document) -> set[tuple[str, str]]:
    """Component and namespace of each pod that a rule lets in; an empty namespace is the policy's own."""
    return {
        (
            each["podSelector"]["matchLabels"].get(
                "app.kubernetes.io/component", each["podSelector"]["matchLabels"].get("endcap.dev/reaches")
            ),
            each.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name", ""),
        )
        for each in rule["from"]
        if "podSelector" in each
    }


def test_milvus_is_open_to_those_who_search_and_index_it(rendered: Callable[[str], list[Document]]) -> None:
    policy = one(rendered("production"), "NetworkPolicy", "endcap-milvus")
    assert policy["metadata"]["namespace"] == "endcap-parts"
    assert policy["spec"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "milvus", "app.kubernetes.io/instance": "endcap"}
    among, callers, scrapes = policy["spec"]["ingress"]
    assert "ports" not in among
    assert among["from"] == [{"podSelector": policy["spec"]["podSelector"]}]
    assert _ports([callers]) == {19_530}
    assert _callers(callers) == {("serving", NAMESPACE), ("rollout-operator", NAMESPACE), ("stores", NAMESPACE)}
    assert _namespaces({"from": [each for each in callers["from"] if "podSelector" not in each]}) == ["milvus-operator"]
    assert (_ports([scrapes]), _namespaces(scrapes)) == ({9091}, ["monitoring"])


def test_parts_in_the_releases_namespace_are_reached_from_it(chart: Chart) -> None:
    objects = chart({"parts": {"namespace": ""}}, "production")
    milvus, redis = one(objects, "NetworkPolicy", "endcap-milvus"), one(objects, "NetworkPolicy", "endcap-redis")
    assert _callers(milvus["spec"]["ingress"][1]) == {("serving", ""), ("rollout-operator", ""), ("stores", NAMESPACE)}
    feast = next(each for each in redis["spec"]["ingress"][0]["from"] if "feast.dev/name" in each["podSelector"]["matchLabels"])
    assert "namespaceSelector" not in feast


def test_feasts_servers_reach_redis_from_their_own_namespace(rendered: Callable[[str], list[Document]]) -> None:
    objects = rendered("production")
    rule = one(objects, "NetworkPolicy", "endcap-redis")["spec"]["ingress"][0]
    feast = next(each for each in rule["from"] if "feast.dev/name" in each["podSelector"]["matchLabels"])
    assert feast["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "endcap-parts"}
    calls, _ = one(objects, "NetworkPolicy", "endcap-feast")["spec"]["ingress"]
    assert (_ports([calls]), _namespaces(calls)) == ({6566, 6570, 6572}, ["gateway-system", "storefront"])


def test_milvus_is_called_by_the_name_of_its_namespace(rendered: Callable[[str], list[Document]], chart: Chart) -> None:
    apart, together = rendered("production"), chart({"parts": {"namespace": ""}}, "production")
    for objects, host in ((apart, "endcap-milvus.endcap-parts.svc"), (together, "endcap-milvus")):
        hosts = {value for each in containers(objects) for name, value in environment(each[1]).items() if name == "ENDCAP_MILVUS__HOST"}
        assert hosts == {host}
        steps = one(objects, "PipelineVersion")["spec"]["pipelineSpec"]["deploymentSpec"]["executors"].values()
        assert {environment(each["container"])["ENDCAP_MILVUS__HOST"] for each in steps} == {host}


def test_no_policies_when_they_are_switched_off(chart: Chart) -> None:
    assert of_kind(chart({"networkPolicies": {"enabled": False}}, "production"), "NetworkPolicy") == []
