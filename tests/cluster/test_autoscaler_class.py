"""A change of `serving.autoscaling.class` leaves one autoscaler at work: the new class's, once KServe has taken the change over."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.chart import CHART, RELEASE, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.job_runner import JobRunner
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.rest import Objects
from tests.waiting import until

KINDS = {"hpa": "horizontalpodautoscalers.autoscaling", "keda": "scaledobjects.keda.sh"}
HOOK = f"{RELEASE}-autoscaler"
VARIANT = '[{"name": "b", "bundle": {"version": "20261201090000", "collection": "endcap_20261201090000"}}]'


@pytest.fixture(autouse=True)
def _operators(operator_crds: None, kserve: KServeStandIn) -> None:
    """Autoscalers of both classes are known, and KServe makes them."""


@pytest.fixture
def jobs(cluster: Cluster, namespace: str) -> Iterator[JobRunner]:
    with JobRunner(cluster, namespace, runs=lambda job: job == HOOK) as runner:
        yield runner


class Release:
    """The minimal profile with a class of autoscaling."""

    def __init__(self, helm: Command, kubectl: Command, namespace: str) -> None:
        self._helm, self._kubectl, self._namespace = helm, kubectl, namespace

    def put(self, autoscaler_class: str, *more: str) -> str:
        """Install or upgrade; what Helm says."""
        values = ("--values", values_of("minimal"), "--set", f"serving.autoscaling.class={autoscaler_class}", *more)
        return self._helm("upgrade", "--install", RELEASE, CHART, "--namespace", self._namespace, *values)

    def autoscalers(self) -> dict[str, set[str]]:
        """Names of the autoscalers by class."""
        return {each: self._names(kind) for each, kind in KINDS.items()}

    def hooks(self) -> set[str]:
        """What there is of the hook."""
        kinds = "jobs,serviceaccounts,roles,rolebindings,networkpolicies"
        return {each for each in self._names(kinds) if each == HOOK}

    def _names(self, kinds: str) -> set[str]:
        listed = json.loads(self._kubectl("get", kinds, "--namespace", self._namespace, "-o", "json"))
        return {str(each["metadata"]["name"]) for each in listed["items"] if "deletionTimestamp" not in each["metadata"]}


@pytest.fixture
def release(helm: Command, kubectl: Command, namespace: str) -> Release:
    return Release(helm, kubectl, namespace)


def only(autoscaler_class: str, *services: str) -> dict[str, set[str]]:
    names = {f"{each}-predictor" for each in services or (RELEASE,)}
    return {each: names if each == autoscaler_class else set() for each in KINDS}


@pytest.mark.usefixtures("jobs")
def test_each_change_of_class_leaves_the_autoscaler_of_the_new_one_alone(release: Release) -> None:
    release.put("hpa")
    until(lambda: release.autoscalers() == only("hpa"), "the first autoscaler")
    for autoscaler_class in ("keda", "none", "hpa"):
        release.put(autoscaler_class)
        until(lambda wanted=autoscaler_class: release.autoscalers() == only(wanted), f"{autoscaler_class} alone, and made by KServe")
        assert release.hooks() == set()


@pytest.mark.usefixtures("jobs")
def test_variants_change_too_and_a_candidate_keeps_the_class_it_was_made_with(release: Release, cluster: Cluster, namespace: str) -> None:
    routed = ("--set", "route.enabled=true,route.gateway.name=shop", "--set-json", f"experiments.variants={VARIANT}")
    release.put("hpa", *routed)
    objects = Objects(cluster.api_client(), "tests")
    make_candidate(objects, namespace)
    services = (RELEASE, f"{RELEASE}-b", f"{RELEASE}-candidate")
    until(lambda: release.autoscalers() == only("hpa", *services), "all autoscalers")
    release.put("keda", *routed)
    wanted = {"hpa": {f"{RELEASE}-candidate-predictor"}, "keda": {f"{RELEASE}-predictor", f"{RELEASE}-b-predictor"}}
    until(lambda: release.autoscalers() == wanted, "the new class of target and variant")
    assert release.hooks() == set()


def make_candidate(objects: Objects, namespace: str) -> None:
    """As the rollout operator makes it: the target under another name."""
    target: dict[str, Any] = objects.get("serving.kserve.io/v1beta1", "InferenceService", namespace, RELEASE)
    labels = {**target["metadata"]["labels"], "endcap.dev/track": "candidate"}
    metadata = {"labels": labels, "annotations": target["metadata"]["annotations"], "name": f"{RELEASE}-candidate", "namespace": namespace}
    objects.create({"apiVersion": target["apiVersion"], "kind": target["kind"], "metadata": metadata, "spec": target["spec"]})


def test_an_upgrade_without_a_change_of_class_runs_no_job(release: Release) -> None:
    """Nobody would run it here: Helm would wait for its end."""
    release.put("hpa")
    until(lambda: release.autoscalers() == only("hpa"), "the first autoscaler")
    release.put("hpa", "--set", "serving.autoscaling.cpuUtilization=70")
    assert release.hooks() == set()


def test_an_autoscaler_of_somebody_else_is_no_old_one(release: Release, kubectl: Command, namespace: str) -> None:
    release.put("none")
    own = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": f"{RELEASE}-predictor"},
        "spec": {"scaleTargetRef": {"name": f"{RELEASE}-predictor"}, "triggers": [{"type": "cpu", "metadata": {"value": "60"}}]},
    }
    kubectl("create", "--namespace", namespace, "-f", "-", stdin=json.dumps(own))
    release.put("none", "--set", "serving.replicas.min=2")
    assert release.autoscalers() == only("keda")


def test_with_hooks_off_the_notes_have_the_command(release: Release, kubectl: Command, namespace: str) -> None:
    release.put("hpa")
    until(lambda: release.autoscalers() == only("hpa"), "the first autoscaler")
    notes = release.put("keda", "--set", "hooks.enabled=false").partition("\nNOTES:\n")[2]
    lines = [line.strip().replace("'", "") for line in notes.splitlines()]
    (wait,) = [each.split() for each in lines if each.startswith("kubectl wait") and "autoscalerClass" in each]
    (delete,) = [each.split() for each in lines if each.startswith("kubectl delete")]
    until(lambda: release.autoscalers()["keda"], "the new autoscaler")
    kubectl(*wait[1:])
    kubectl(*delete[1:])
    assert release.autoscalers() == only("keda")
