"""What all objects have in common: labels, no namespace, nothing secret, selectors that outlive an upgrade."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from tests.charts.chart import CHART, NAMESPACE, Document, called, of_kind

RECOMMENDED = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "component", "part-of", "managed-by")}
CHANGE_ON_UPGRADE = {"app.kubernetes.io/version", "helm.sh/chart"}


def test_every_object_has_the_recommended_labels(objects: list[Document]) -> None:
    missing = {called(each): RECOMMENDED - set(each["metadata"].get("labels", {})) for each in objects}
    assert {name: labels for name, labels in missing.items() if labels} == {}


def test_pods_have_the_recommended_labels(objects: list[Document]) -> None:
    pods = [each for each in objects if each["kind"] in {"Deployment", "StatefulSet"}]
    assert all(set(each["spec"]["template"]["metadata"]["labels"]) >= RECOMMENDED for each in pods)


OF_THE_PARTS = {
    "FeatureStore/endcap",
    "Milvus/endcap",
    "NetworkPolicy/endcap-feast",
    "NetworkPolicy/endcap-milvus",
    "Secret/endcap-feast-stores",
}


def test_no_object_names_a_namespace_but_those_of_the_parts(objects: list[Document]) -> None:
    named = {called(each): each["metadata"]["namespace"] for each in objects if "namespace" in each["metadata"]}
    there = OF_THE_PARTS & {called(each) for each in objects}
    assert named == dict.fromkeys(there, "endcap-parts")


def test_without_a_namespace_of_their_own_the_parts_are_in_the_releases(chart: Callable[..., list[Document]]) -> None:
    objects = chart({"parts": {"namespace": ""}}, "production")
    assert {called(each) for each in objects} >= OF_THE_PARTS
    assert [called(each) for each in objects if "namespace" in each["metadata"]] == []


def test_no_template_and_no_value_names_a_namespace_of_the_release() -> None:
    for path in [*CHART.glob("templates/**/*.yaml"), *CHART.glob("templates/**/*.tpl")]:
        written = re.findall(r"^\s*namespace:\s*(\S.*)$", path.read_text(), flags=re.MULTILINE)
        assert all(each.startswith("{{") for each in written), path.name


def test_role_bindings_bind_accounts_of_the_release(objects: list[Document]) -> None:
    accounts = {each["metadata"]["name"] for each in of_kind(objects, "ServiceAccount")}
    subjects = [subject for each in of_kind(objects, "RoleBinding") for subject in each["subjects"]]
    assert all(subject["namespace"] == NAMESPACE and subject["name"] in accounts for subject in subjects)


def test_names_of_one_kind_are_told_apart(objects: list[Document]) -> None:
    names = [(each["apiVersion"], called(each)) for each in objects]
    assert len(names) == len(set(names))


def test_selectors_hold_nothing_that_an_upgrade_changes(objects: list[Document]) -> None:
    selectors = [labels for each in objects for labels in _selectors(each.get("spec", {}))]
    assert selectors
    assert [labels for labels in selectors if CHANGE_ON_UPGRADE & set(labels)] == []


def _selectors(node: Any) -> Iterator[dict[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name in {"matchLabels", "selector"} and isinstance(value, dict):
                yield {key: each for key, each in value.items() if isinstance(each, str)}
            yield from _selectors(value)
    elif isinstance(node, list):
        for each in node:
            yield from _selectors(each)


def test_labels_of_ones_own_are_on_every_object(chart: Callable[..., list[Document]]) -> None:
    objects = chart({"commonLabels": {"team": "shop"}}, "production")
    assert all(each["metadata"]["labels"]["team"] == "shop" for each in objects)


def test_secrets_hold_nothing_but_names_of_variables(objects: list[Document]) -> None:
    for secret in of_kind(objects, "Secret"):
        for text in secret["stringData"].values():
            settings = yaml.safe_load(text)
            addresses = [settings[name] for name in ("path", "connection_string") if name in settings]
            assert addresses
            assert all(re.fullmatch(r"\$\{[A-Z_]+\}", each) for each in addresses)


def test_no_cluster_wide_right_is_asked_for(objects: list[Document]) -> None:
    assert [called(each) for each in objects if each["kind"] in {"ClusterRole", "ClusterRoleBinding"}] == []


def test_no_role_asks_for_everything(objects: list[Document]) -> None:
    rules = [rule for each in of_kind(objects, "Role") for rule in each["rules"]]
    assert not any("*" in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]] for rule in rules)
    assert not any("secrets" in rule["resources"] and not rule.get("resourceNames") for rule in rules)
