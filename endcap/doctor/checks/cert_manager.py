"""cert-manager: its version, and the issuer that the values name."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.checks import operators
from endcap.doctor.checks.operators import Operator
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

CERT_MANAGER = Operator("cert-manager", "cert-manager", ("cert-manager",), container="cert-manager-controller")


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if not (values["serving.enabled"] and values["certificate.enabled"]):
        return
    yield Check("cert-manager", "version", "cert-manager", "certificate.enabled", _version)
    kind, name = str(values["certificate.issuerRef.kind"]), str(values["certificate.issuerRef.name"])
    place = f" in {release.namespace}" if kind == "Issuer" else ""
    yield Check(
        "cert-manager",
        "issuer",
        f"{kind} {name}{place}, ready",
        "certificate.issuerRef",
        lambda cluster: _issuer(cluster, kind, name, release.namespace),
    )


def _version(cluster: Cluster) -> Outcome:
    return operators.standing(operators.find(cluster, CERT_MANAGER), CERT_MANAGER, fix="")


def _issuer(cluster: Cluster, kind: str, name: str, namespace: str) -> Outcome:
    place = f"namespaces/{namespace}/issuers" if kind == "Issuer" else "clusterissuers"
    found = cluster.get(f"/apis/cert-manager.io/v1/{place}/{name}")
    if found is None:
        return gap("there is none: no certificate is issued", "create it, or name another in certificate.issuerRef")
    ready = next((each for each in found.get("status", {}).get("conditions", ()) if each["type"] == "Ready"), None)
    if ready and ready["status"] == "True":
        return ok("ready")
    message = ready.get("message", "") if ready else "no condition yet"
    return gap(f"not ready: {message}", f"see: kubectl describe {kind.lower()} {name}")
