"""The namespaces: the release's own and that of its parts, and the pods their Pod Security level takes."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok, warning
from endcap.doctor.cluster import Cluster, Document
from endcap.doctor.release import Release

ENFORCE = "pod-security.kubernetes.io/enforce"


def checks(release: Release) -> Iterator[Check]:
    yield Check("Namespace", "exists", f"namespace {release.namespace}", "--namespace", lambda cluster: _exists(cluster, release.namespace))
    makers = [name for name in ("milvus", "feast.operator") if release.values[f"{name}.enabled"]]
    if makers:
        yield Check(
            "Namespace",
            "parts",
            f"namespace {release.parts_namespace} that takes pods of {' and '.join(each.partition('.')[0] for each in makers)}",
            ", ".join(f"{name}.enabled" for name in makers),
            lambda cluster: _parts(cluster, release),
        )


def _exists(cluster: Cluster, namespace: str) -> Outcome:
    found = cluster.get(f"/api/v1/namespaces/{namespace}")
    if found is None:
        return gap("it is not there", f"kubectl create namespace {namespace}")
    if found.get("status", {}).get("phase") == "Terminating":
        return gap("it is being deleted", "wait until it is gone, and create it again")
    level = _level(found)
    if level == "restricted":
        return ok("there, Pod Security restricted")
    # every pod of the release itself meets restricted
    return ok(f"there, Pod Security {level or 'not set'}; the release's own pods would pass restricted")


def _parts(cluster: Cluster, release: Release) -> Outcome:
    namespace = release.parts_namespace
    found = cluster.get(f"/api/v1/namespaces/{namespace}")
    if found is None:
        return gap("it is not there", f"kubectl create namespace {namespace}")
    level = _level(found)
    if level == "restricted":
        own = "name another one in parts.namespace, with" if release.values["parts"] else "put them into a namespace with"
        fix = f"{own} {ENFORCE}=baseline, or give addresses of ones that run elsewhere"
        return gap("Pod Security restricted refuses the pods that their operators make", fix)
    if not level:
        return warning("Pod Security is not set: the cluster's default decides", f"kubectl label namespace {namespace} {ENFORCE}=baseline")
    return ok(f"Pod Security {level}")


def _level(namespace: Document) -> str:
    return str((namespace["metadata"].get("labels") or {}).get(ENFORCE, ""))
