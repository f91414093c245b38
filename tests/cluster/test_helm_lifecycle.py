"""Helm installs, upgrades, rolls back and uninstalls every profile; what is left is what holds data or serves others (`kept.py`)."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.chart import CHART, ONE_COLLECTOR, PROFILES, RELEASE, documents, is_hook, parts_in, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command, CommandFailed
from tests.cluster.kept import CLAIMS, DEFINITION, FREED, KEPT
from tests.cluster.leftovers import Inventory
from tests.cluster.rest import Objects
from tests.waiting import until

GONE_TIMEOUT_S = 60.0
NO_HOOKS = "--no-hooks"
"""The one before an uninstall takes the schedule off a server of Kubeflow Pipelines, which test_schedule has and these tests have not."""
VOLUMES = {CLAIMS["redis"], CLAIMS["collector"]}
"""Of StatefulSets, whose controller makes them."""
LIVE_URI = "pvc://endcap-bundles/20261201090000"
OPERATOR = "--field-manager=rollout-operator"


@pytest.fixture(autouse=True)
def _operators(operator_crds: None, without_rollout_definition: None, kubectl: Command) -> Iterator[None]:
    """Every kind that the chart writes is known, and none of the chart's own is there."""
    yield
    kubectl("delete", "customresourcedefinition", "rollouts.endcap.dev", "--ignore-not-found", "--timeout=60s")


@pytest.fixture
def inventory(cluster: Cluster) -> Inventory:
    return Inventory(cluster.api_client())


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster.api_client(), "tests")


def _install(helm: Command, namespace: str, profile: str, *more: str) -> str:
    return helm(
        "install", RELEASE, CHART, "--namespace", namespace, "--values", values_of(profile), *parts_in(namespace), *ONE_COLLECTOR, *more
    )


def _upgrade(helm: Command, namespace: str, profile: str, *more: str) -> str:
    return helm(
        "upgrade", RELEASE, CHART, "--namespace", namespace, "--values", values_of(profile), *parts_in(namespace), *ONE_COLLECTOR, *more
    )


def _rendered(helm: Command, namespace: str, profile: str) -> str:
    return helm("template", RELEASE, CHART, "--namespace", namespace, "--values", values_of(profile), *parts_in(namespace))


def _team_labels(objects: Objects, namespace: str, manifest: str) -> set[str]:
    kept = [each for each in documents(manifest) if each["kind"] in ("ConfigMap", "InferenceService", "ServiceAccount")]
    live = [objects.get(each["apiVersion"], each["kind"], namespace, each["metadata"]["name"]) for each in kept]
    return {each["metadata"]["labels"].get("team", "") for each in live}


def _assert_keeps(inventory: Inventory, namespace: str, kept: set[str]) -> None:
    """The garbage collector needs its time, half a minute where a kind has only just become known."""
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while (left := inventory.of_namespace(namespace)) != kept:
        assert kept <= left, f"gone: {sorted(kept - left)}"
        assert time.monotonic() < deadline, f"left after {GONE_TIMEOUT_S:g} s: {sorted(left - kept)}"


def _assert_becomes(inventory: Inventory, before: set[str]) -> None:
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while changed := inventory.of_cluster() ^ before:
        assert time.monotonic() < deadline, f"in the cluster before or after alone, {GONE_TIMEOUT_S:g} s later: {sorted(changed)}"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_passes_lint(helm: Command, profile: str) -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in helm("lint", "--strict", CHART, "--values", values_of(profile))


@pytest.mark.usefixtures("real_schemas")
@pytest.mark.parametrize("profile", PROFILES)
def test_each_object_is_accepted_with_strict_field_validation(helm: Command, kubectl: Command, namespace: str, profile: str) -> None:
    rendered = _rendered(helm, namespace, profile)
    arguments = ("--dry-run=server", "--validate=strict", "--namespace", namespace, "-o", "name", "-f", "-")
    accepted = kubectl("apply", *arguments, stdin=rendered).split()
    assert len(accepted) == len(documents(rendered))


@pytest.mark.usefixtures("real_schemas")
@pytest.mark.parametrize("kind", ["Deployment", "InferenceService", "HTTPRoute", "Kafka", "SparkApplication", "Milvus"])
def test_an_unknown_field_is_refused(helm: Command, kubectl: Command, namespace: str, kind: str) -> None:
    wanted = next(each for each in documents(_rendered(helm, namespace, "production")) if each["kind"].endswith(kind))
    wanted["spec"]["shelf"] = 1
    with pytest.raises(CommandFailed, match=r'unknown field "spec\.shelf"'):
        kubectl("apply", "--dry-run=server", "--validate=strict", "--namespace", namespace, "-f", "-", stdin=yaml.safe_dump(wanted))


@pytest.mark.usefixtures("kserve")
@pytest.mark.parametrize("profile", PROFILES)
def test_a_release_comes_changes_goes_back_and_leaves_what_holds_data(
    helm: Command, inventory: Inventory, objects: Objects, namespace: str, profile: str
) -> None:
    before = inventory.of_cluster() | ({DEFINITION} if profile in ("gpu", "production") else set())
    _install(helm, namespace, profile)
    first = helm("get", "manifest", RELEASE, "--namespace", namespace)
    until(lambda: any(each.startswith("deployments.apps/") for each in inventory.of_namespace(namespace)), "KServe's Deployment")
    _upgrade(helm, namespace, profile, "--set", "commonLabels.team=search")
    assert _team_labels(objects, namespace, first) == {"search"}
    helm("rollback", RELEASE, "1", "--namespace", namespace)
    assert _team_labels(objects, namespace, first) == {""}
    assert helm("get", "manifest", RELEASE, "--namespace", namespace) == first
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)
    _assert_keeps(inventory, namespace, KEPT[profile])
    _assert_becomes(inventory, before)  # but for the definition of Rollout, which stays


def _remove(kubectl: Command, namespace: str) -> None:
    """As docs/operations.md removes what is kept; no Strimzi is here that would have put finalizers on."""
    kinds = "kafkatopics,kafkanodepools,kafkas,persistentvolumeclaims"
    kubectl("delete", kinds, "--namespace", namespace, "--selector", f"app.kubernetes.io/instance={RELEASE}")


def _milvus_stores(helm: Command, namespace: str) -> list[tuple[str, bool]]:
    """Deletion policy of etcd and MinIO, and whether their claims go too."""
    manifest = documents(helm("get", "manifest", RELEASE, "--namespace", namespace))
    milvus = next(each for each in manifest if each["kind"] == "Milvus")
    stores = [milvus["spec"]["dependencies"][each]["inCluster"] for each in ("etcd", "storage")]
    return [(each["deletionPolicy"], each["pvcDeletion"]) for each in stores]


def test_what_an_uninstall_takes_with_it_is_a_value_each(helm: Command, inventory: Inventory, namespace: str) -> None:
    _install(helm, namespace, "production", *(option for each in FREED for option in ("--set", each)))
    until(lambda: inventory.of_namespace(namespace) >= VOLUMES, "the claims of Redis and the collector")
    assert _milvus_stores(helm, namespace) == [("Delete", True)] * 2
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)
    left = inventory.of_namespace(namespace) - VOLUMES  # whose StatefulSets go first
    assert not {each for each in left if each.startswith(("persistentvolumeclaims", "kafka"))} - set(CLAIMS.values())
    assert DEFINITION not in inventory.of_cluster()


def test_a_living_milvus_is_not_moved_to_another_namespace(helm: Command, kubectl: Command, namespace: str) -> None:
    _install(helm, namespace, "production")
    with pytest.raises(CommandFailed, match=r"parts\.namespace: this release has its Milvus in"):
        _upgrade(helm, namespace, "production", "--set", "parts.namespace=elsewhere")
    assert kubectl("get", "milvuses.milvus.io", RELEASE, "--namespace", namespace, "--output", "name")
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)


def test_a_release_takes_up_again_what_an_uninstall_kept_and_the_page_removes_it(
    helm: Command, kubectl: Command, inventory: Inventory, objects: Objects, namespace: str
) -> None:
    _install(helm, namespace, "production")
    until(lambda: inventory.of_namespace(namespace) >= VOLUMES, "the claims of Redis and the collector")
    claims = [each.partition("/")[2] for each in CLAIMS.values()]
    uids = {name: objects.get("v1", "PersistentVolumeClaim", namespace, name)["metadata"]["uid"] for name in claims}
    assert _milvus_stores(helm, namespace) == [("Retain", False)] * 2
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)
    _install(helm, namespace, "production")
    assert {name: objects.get("v1", "PersistentVolumeClaim", namespace, name)["metadata"]["uid"] for name in claims} == uids
    held = {each["kind"] for each in documents(helm("get", "manifest", RELEASE, "--namespace", namespace))}
    assert {"CustomResourceDefinition", "Kafka", "KafkaNodePool", "KafkaTopic", "PersistentVolumeClaim"} <= held
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)
    _remove(kubectl, namespace)
    _assert_keeps(inventory, namespace, set())


@pytest.mark.parametrize("profile", PROFILES)
def test_helm_test_has_pods_that_the_api_server_takes(helm: Command, objects: Objects, namespace: str, profile: str) -> None:
    _install(helm, namespace, profile)
    hooks = documents(helm("get", "hooks", RELEASE, "--namespace", namespace))
    pods = [each for each in hooks if each["kind"] == "Pod"]
    assert {each["metadata"]["annotations"]["helm.sh/hook"] for each in pods} == {"test"}
    assert f"{RELEASE}-test-predict" in {each["metadata"]["name"] for each in pods}
    for each in pods:
        each["metadata"]["namespace"] = namespace
        assert objects.create(each, dry_run=True)["metadata"]["name"] == each["metadata"]["name"]
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)


def test_a_test_that_failed_leaves_nothing_after_uninstall(helm: Command, inventory: Inventory, cluster: Cluster, namespace: str) -> None:
    if cluster.own is None:
        pytest.skip("the pods of `helm test` may succeed on a cluster with nodes")
    _install(helm, namespace, "production")
    failed = helm.run("test", RELEASE, "--namespace", namespace, "--timeout", "2s")
    assert failed.returncode != 0
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)
    _assert_keeps(inventory, namespace, KEPT["production"])


def _roll_out(kubectl: Command, namespace: str) -> list[dict[str, Any]]:
    """As the operator leaves things in the middle of a rollout: another stable bundle, and a candidate with a tenth of the traffic."""
    change = {
        "metadata": {"annotations": {"endcap.dev/bundle": "20261201090000", "endcap.dev/collection": "endcap_20261201090000"}},
        "spec": {"predictor": {"model": {"storageUri": LIVE_URI}}},
    }
    kubectl("patch", "inferenceservice", RELEASE, "-n", namespace, OPERATOR, "--type=merge", "-p", json.dumps(change))
    route = json.loads(kubectl("get", "httproute", RELEASE, "-n", namespace, "-o", "json"))
    rule = next(number for number, each in enumerate(route["spec"]["rules"]) if each["name"] == "traffic")
    stable = route["spec"]["rules"][rule]["backendRefs"][0]
    backends = [{**stable, "weight": 90}, {**stable, "name": f"{RELEASE}-candidate-predictor", "weight": 10}]
    patch = [{"op": "replace", "path": f"/spec/rules/{rule}/backendRefs", "value": backends}]
    kubectl("patch", "httproute", RELEASE, "-n", namespace, OPERATOR, "--type=json", "-p", json.dumps(patch))
    return backends


def _live(objects: Objects, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:
    service = objects.get("serving.kserve.io/v1beta1", "InferenceService", namespace, RELEASE)
    route = objects.get("gateway.networking.k8s.io/v1", "HTTPRoute", namespace, RELEASE)
    backends = next(each["backendRefs"] for each in route["spec"]["rules"] if each["name"] == "traffic")
    return service["spec"]["predictor"]["model"]["storageUri"], service["metadata"]["annotations"]["endcap.dev/bundle"], backends


def test_an_upgrade_keeps_the_bundle_and_the_weights_of_a_rollout(
    helm: Command, kubectl: Command, objects: Objects, namespace: str
) -> None:
    _install(helm, namespace, "production")
    backends = _roll_out(kubectl, namespace)
    live = (LIVE_URI, "20261201090000", backends)
    assert _live(objects, namespace) == live
    _upgrade(helm, namespace, "production", "--set", "commonLabels.team=search", "--set", "serving.replicas.max=30")
    assert _live(objects, namespace) == live
    service = objects.get("serving.kserve.io/v1beta1", "InferenceService", namespace, RELEASE)
    assert service["spec"]["predictor"]["maxReplicas"] == 30
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)


def test_a_new_rule_of_the_route_is_forced_in_beside_the_weights_of_a_rollout(
    helm: Command, kubectl: Command, objects: Objects, namespace: str
) -> None:
    variants = '[{"name": "b", "bundle": {"version": "20261201090000", "collection": "endcap_20261201090000"}}]'
    _install(helm, namespace, "production")
    backends = _roll_out(kubectl, namespace)
    with pytest.raises(CommandFailed, match="conflict"):
        _upgrade(helm, namespace, "production", "--set-json", f"experiments.variants={variants}")
    assert _live(objects, namespace) == (LIVE_URI, "20261201090000", backends)
    _upgrade(helm, namespace, "production", "--set-json", f"experiments.variants={variants}", "--force-conflicts")
    assert _live(objects, namespace) == (LIVE_URI, "20261201090000", backends)
    route = objects.get("gateway.networking.k8s.io/v1", "HTTPRoute", namespace, RELEASE)
    assert [each["name"] for each in route["spec"]["rules"]] == ["variant-b", "traffic"]
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)


def test_a_rollback_does_not_take_a_rolled_out_bundle_back_unasked(
    helm: Command, kubectl: Command, objects: Objects, namespace: str
) -> None:
    _install(helm, namespace, "production")
    _upgrade(helm, namespace, "production", "--set", "commonLabels.team=search")
    backends = _roll_out(kubectl, namespace)
    refused = helm.run("rollback", RELEASE, "1", "--namespace", namespace)
    assert _live(objects, namespace) == (LIVE_URI, "20261201090000", backends)
    assert refused.returncode != 0
    assert "conflict" in refused.stderr
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)


def test_hooks_are_no_part_of_a_release_and_everything_else_is(helm: Command, namespace: str) -> None:
    rendered = documents(_rendered(helm, namespace, "production"))
    _install(helm, namespace, "production")
    names = {(each["kind"], each["metadata"]["name"]) for each in documents(helm("get", "manifest", RELEASE, "--namespace", namespace))}
    assert names == {(each["kind"], each["metadata"]["name"]) for each in rendered if not is_hook(each)}
    helm("uninstall", RELEASE, "--namespace", namespace, NO_HOOKS)
