"""Kubeflow Pipelines: whether its API answers, for one user or many, and whether it reads pipelines from Kubernetes."""

import json
from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok, unknown, warning
from endcap.doctor.checks import operators
from endcap.doctor.checks.operators import Operator
from endcap.doctor.cluster import Cluster
from endcap.doctor.reach import Unreachable, ask_http, in_cluster
from endcap.doctor.release import Release

KFP = Operator("Kubeflow Pipelines", "ml-pipeline", ("kubeflow",), container="ml-pipeline-api-server")
NATIVE = "--pipelinesStoreKubernetes"


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if not values["pipelines.enabled"]:
        return
    yield Check("Kubeflow Pipelines", "native", "Kubernetes-native mode", "pipelines.enabled", _native)
    host = str(values["pipelines.host"] or "")
    if host:
        yield Check(
            "Kubeflow Pipelines", "address", f"its API at {host}", "pipelines.host", lambda cluster: _answers(cluster, host, release)
        )
    elif values["pipelines.schedule.enabled"]:
        missing = gap("pipelines.host is empty", "give the address of the API in pipelines.host")
        yield Check("Kubeflow Pipelines", "address", "the address of its API", "pipelines.schedule.enabled", lambda _: missing)
    if release.pipeline_namespace != release.namespace:
        yield Check(
            "Kubeflow Pipelines",
            "namespace",
            f"namespace {release.pipeline_namespace}",
            "pipelines.namespace",
            lambda cluster: _namespace(cluster, release.pipeline_namespace),
        )


def _native(cluster: Cluster) -> Outcome:
    deployment = operators.find(cluster, KFP)
    outcome = operators.standing(deployment, KFP, fix="")
    if deployment is None:
        return outcome
    given = [each for each in operators.arguments(deployment) if each.startswith((NATIVE, NATIVE[1:]))]
    if not given:
        return gap(f"{outcome.found}: it is started without {NATIVE}", f"start the API server with {NATIVE}=true")
    is_on = given[-1].partition("=")[2].strip('"').lower() in ("", "true")
    return outcome if is_on else gap(f"{outcome.found}: it is started with {given[-1]}", f"start the API server with {NATIVE}=true")


def _answers(cluster: Cluster, host: str, release: Release) -> Outcome:
    try:
        answer = ask_http(f"{host.rstrip('/')}/apis/v2beta1/healthz")
    except Unreachable as reason:
        return in_cluster(cluster, host, release.namespace, reason)
    if answer.status in (401, 403):
        return warning(f"it answers {answer.status}: it wants credentials", "see docs/pipeline.md on servers for many users")
    if answer.status != 200:
        return gap(f"it answers {answer.status} to /apis/v2beta1/healthz", "give the address of Kubeflow Pipelines 2.5 or newer")
    return _healthy(answer.body, release)


def _healthy(body: str, release: Release) -> Outcome:
    try:
        is_shared = bool(json.loads(body).get("multi_user", False))
    except ValueError:
        return gap("what answers is not its API", "give the address of the API server, not of the dashboard's pages")
    if not is_shared:
        return ok("answers, for one user")
    if not release.values["pipelines.namespace"]:
        fix = "name the profile's namespace in pipelines.namespace, if that is not the release's own"
        return warning(f"answers, for many users: runs belong to a profile, and start in {release.namespace}", fix)
    return ok(f"answers, for many users; runs start in {release.pipeline_namespace}")


def _namespace(cluster: Cluster, namespace: str) -> Outcome:
    if cluster.get(f"/api/v1/namespaces/{namespace}") is None:
        return gap("it is not there", f"kubectl create namespace {namespace}")
    return ok("there") if namespace else unknown("no name is given")
