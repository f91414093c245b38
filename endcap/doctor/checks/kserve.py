"""KServe: its version, and what its ConfigMap `inferenceservice-config` sets."""

import json
import re
from collections.abc import Iterator
from typing import Any

from endcap.doctor.check import Check, Outcome, gap, ok, unknown, warning
from endcap.doctor.checks import operators
from endcap.doctor.checks.operators import Operator
from endcap.doctor.cluster import Cluster, Document, NotAllowed
from endcap.doctor.release import Release

KSERVE = Operator("KServe", "kserve-controller-manager", ("kserve", "kubeflow", "opendatahub"))
OLDEST = (0, 20)
CONFIG = "inferenceservice-config"
WHERE_IS_IT = "look whether KServe is installed, and in which namespace"


def checks(release: Release) -> Iterator[Check]:
    if not release.values["serving.enabled"]:
        return
    mode = f"serving.deploymentMode={release.values['serving.deploymentMode']}"
    yield Check("KServe", "version", "KServe 0.20 or newer", "serving.enabled", _version)
    yield Check("KServe", "istio", f"{CONFIG}: ingress.disableIstioVirtualHost where there is no Istio", mode, _istio)
    yield Check("KServe", "ingress", f"{CONFIG}: ingress that leaves the chart's route alone", mode, _ingress)
    if not release.uses_claim:
        scheme = release.storage_uri.partition("://")[0] + "://"
        yield Check(
            "KServe",
            "storage-initializer",
            f"a storage initializer for {scheme}",
            "bundles.storageUri",
            lambda cluster: _initializer(cluster, release.storage_uri),
        )


def _version(cluster: Cluster) -> Outcome:
    return operators.standing(operators.find(cluster, KSERVE), KSERVE, OLDEST, fix="upgrade KServe to 0.20 or newer, definitions first")


def _istio(cluster: Cluster) -> Outcome:
    ingress = _section(cluster, "ingress")
    if ingress is None:
        return unknown(f"no ConfigMap {CONFIG} is found", WHERE_IS_IT)
    has_istio = cluster.get("/apis/networking.istio.io") is not None
    is_off = _is_true(ingress.get("disableIstioVirtualHost"))
    shown = f"disableIstioVirtualHost={str(is_off).lower()}, Istio {'is there' if has_istio else 'is not there'}"
    if has_istio or is_off:
        return ok(shown)
    return warning(
        f"{shown}: each reconcile warns", f'set "disableIstioVirtualHost": true in {CONFIG}, key ingress, and restart the controller'
    )


def _ingress(cluster: Cluster) -> Outcome:
    ingress = _section(cluster, "ingress")
    if ingress is None:
        return unknown(f"no ConfigMap {CONFIG} is found", WHERE_IS_IT)
    deploy = _section(cluster, "deploy") or {}
    gateway = _is_true(ingress.get("enableGatewayApi"))
    mode = deploy.get("defaultDeploymentMode", "not set")
    # the chart's label networking.kserve.io/visibility keeps KServe off the route, and its annotation overrules the default mode
    return ok(f"enableGatewayApi={str(gateway).lower()}, defaultDeploymentMode={mode}: the chart sets both on its InferenceService")


def _initializer(cluster: Cluster, uri: str) -> Outcome:
    initializer = _section(cluster, "storageInitializer")
    if initializer and initializer.get("image"):
        return ok(f"{initializer['image']}, memory {initializer.get('memoryLimit', 'without limit')}")
    containers = cluster.items("/apis/serving.kserve.io/v1alpha1/clusterstoragecontainers")
    fitting = [each["metadata"]["name"] for each in containers if _supports(each, uri)]
    if fitting:
        return ok(f"ClusterStorageContainer {', '.join(fitting)}")
    if initializer is None:
        return unknown(f"no ConfigMap {CONFIG} is found", WHERE_IS_IT)
    fix = f"restore key storageInitializer of {CONFIG}, or make a ClusterStorageContainer for this kind of address"
    return gap(f"{CONFIG} names no image, and no ClusterStorageContainer fits", fix)


def _supports(container: Document, uri: str) -> bool:
    for each in container["spec"].get("supportedUriFormats", ()):
        if (each.get("prefix") and uri.startswith(each["prefix"])) or (each.get("regex") and re.match(each["regex"], uri)):
            return True
    return False


def _section(cluster: Cluster, key: str) -> dict[str, Any] | None:
    """One key of the ConfigMap, which holds JSON; None when there is no ConfigMap."""
    config = _config(cluster)
    if config is None:
        return None
    section = json.loads(config.get("data", {}).get(key, "{}"))
    return dict(section)


def _config(cluster: Cluster) -> Document | None:
    refused: NotAllowed | None = None
    for namespace in _namespaces(cluster):
        try:
            found = cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{CONFIG}")
        except NotAllowed as error:
            refused = refused or error
            continue
        if found is not None:
            return found
    if refused is not None:
        raise refused
    return None


def _namespaces(cluster: Cluster) -> list[str]:
    try:
        deployment = operators.find(cluster, KSERVE)
    except NotAllowed:
        deployment = None
    found = [str(deployment["metadata"]["namespace"])] if deployment else []
    return [*found, *(each for each in KSERVE.namespaces if each not in found)]


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"
