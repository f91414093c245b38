"""Names and kinds as the chart derives them: what Helm renders is what the doctor counts with."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from endcap.doctor.checks.definitions import needs
from endcap.doctor.checks.rights import accounts
from endcap.doctor.rendered_kinds import rendered_kinds
from tests.charts.chart import KNATIVE, PROFILES, render
from tests.endcap.doctor.made_cluster import made_release

PLURALS = {"NetworkPolicy": "networkpolicies", "Gateway": "gateways", "Milvus": "milvuses"}
BUILT_IN = ("apps", "autoscaling", "batch", "policy", "networking.k8s.io", "rbac.authorization.k8s.io", "apiextensions.k8s.io", "")


def _kinds(rendered: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    kinds = set()
    for each in rendered:
        if "helm.sh/hook" in each["metadata"].get("annotations", {}):
            continue
        group = each["apiVersion"].rpartition("/")[0]
        plural = PLURALS.get(each["kind"], each["kind"].lower() + "s")
        place = "" if plural == "customresourcedefinitions" else each["metadata"].get("namespace", "shop")
        kinds.add((group, plural, place))
    return kinds


ON_SPARK = {
    "kafka": {"bootstrap": "kafka:9092"},
    "networkPolicies": {"objectStorage": True},
    "stream": {"enabled": True, "runner": "spark", "secretName": "letters"},
}
WITH_REGISTRY = {
    "kafka": {"bootstrap": "kafka:9092"},
    "collector": {"enabled": True, "secretName": "keys"},
    "schemaRegistry": {"enabled": True},
    "customTypes": {"opened": {"meaning": "It was opened.", "schema": {"type": "object"}}},
}
STREAMING = {**ON_SPARK, "stream": {"enabled": True, "secretName": "letters"}}


@pytest.mark.processes
@pytest.mark.parametrize(
    "values",
    [{}, KNATIVE, {"pipelines": {"namespace": "training"}}, STREAMING, ON_SPARK, WITH_REGISTRY],
    ids=["plain", "Knative", "pipelines elsewhere", "stream", "stream on Spark", "schema registry"],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_rights_are_looked_at_for_every_kind_that_helm_renders(tmp_path: Path, profile: str, values: dict[str, Any]) -> None:
    rendered = _kinds(render(tmp_path, profile, values))
    counted = {(kind.group, kind.plural, kind.namespace) for kind in rendered_kinds(made_release(values, profile=profile))}
    assert rendered - counted == set()
    assert counted - rendered <= {("batch", "jobs", "shop")}  # of hooks, which are not in `rendered`


@pytest.mark.processes
@pytest.mark.parametrize("values", [{}, ON_SPARK], ids=["plain", "stream on Spark"])
@pytest.mark.parametrize("profile", PROFILES)
def test_definitions_are_looked_at_for_every_kind_of_an_operator(tmp_path: Path, profile: str, values: dict[str, Any]) -> None:
    rendered = render(tmp_path, profile, values)
    custom = {(plural, group) for group, plural, _ in _kinds(rendered) if group not in BUILT_IN}
    versions = {each["apiVersion"] for each in rendered}
    looked_at = [each for need in needs(made_release(values, profile=profile)) for each in need.definitions]
    assert custom <= {(each.plural, each.group) for each in looked_at}
    assert [f"{each.group}/{each.version}" for each in looked_at if (each.plural, each.group) in custom] != []
    assert [each for each in looked_at if (each.plural, each.group) in custom and f"{each.group}/{each.version}" not in versions] == []


@pytest.mark.processes
@pytest.mark.parametrize("values", [{}, ON_SPARK], ids=["plain", "stream on Spark"])
@pytest.mark.parametrize("profile", ["production", "gpu"])
def test_rights_of_accounts_are_those_of_the_rendered_roles(tmp_path: Path, profile: str, values: dict[str, Any]) -> None:
    rendered = [each for each in render(tmp_path, profile, values) if "helm.sh/hook" not in each["metadata"].get("annotations", {})]
    rules = {each["metadata"]["name"]: each["rules"] for each in rendered if each["kind"] == "Role"}
    given: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for binding in (each for each in rendered if each["kind"] == "RoleBinding"):
        (subject,) = binding["subjects"]
        given[subject["name"]] |= _granted(rules[binding["roleRef"]["name"]])
    looked_at = {
        account.name: {(right.group, right.resource, right.verb, right.name) for right in account.rights}
        for account in accounts(made_release(values, profile=profile))
    }
    assert looked_at == given


def _granted(rules: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        (group, resource, verb, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [""])
    }


@pytest.mark.processes
def test_full_names_are_those_of_the_chart(tmp_path: Path) -> None:
    rendered = {each["metadata"]["name"] for each in render(tmp_path, "gpu") if each["kind"] == "PersistentVolumeClaim"}
    release = made_release(profile="gpu")
    assert rendered == {release.bundles_claim, release.workspace_claim}
    spark = made_release(ON_SPARK)
    claims = {each["metadata"]["name"] for each in render(tmp_path, "minimal", ON_SPARK) if each["kind"] == "PersistentVolumeClaim"}
    assert claims == {spark.bundles_claim, spark.live_claim, spark.stream_claim, spark.stream_spark_claim}
    assert made_release(name="shop").fullname == "shop-endcap"
    assert made_release({"fullnameOverride": "shop-next"}).fullname == "shop-next"
