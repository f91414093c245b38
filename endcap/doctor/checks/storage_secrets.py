"""Secrets of the object storage that bundles are in, as KServe's storage initializer reads them."""

from collections.abc import Iterator

from endcap.doctor.check import Check, Outcome, gap, ok, warning
from endcap.doctor.checks.secrets import create_command
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

PREFIX = "serving.kserve.io/s3-"
KEYS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "gs": ("gcloud-application-credentials.json",),
    "hf": ("HF_TOKEN",),
}
"""Keys by the scheme of the address, as KServe calls them unless its ConfigMap (key `credentials`) gives other names."""


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if not values["serving.enabled"]:
        return
    scheme = release.storage_uri.partition("://")[0]
    for name in values["bundles.storageSecrets"] or ():
        keys = KEYS.get(scheme, ())
        yield Check(
            "Secrets",
            f"storage-{name}",
            f"secret {name}{' with ' if keys else ''}{', '.join(keys)} for {scheme}://",
            "bundles.storageSecrets",
            lambda cluster, name=str(name): _secret(cluster, release.namespace, name, scheme),  # type: ignore[misc]
        )
    if scheme in KEYS and not values["bundles.storageSecrets"] and not values["serviceAccounts.annotations"]:
        missing = warning(
            "no secret and no identity: only a public bucket can be read",
            "name a secret in bundles.storageSecrets, or a workload identity in serviceAccounts.annotations",
        )
        yield Check("Secrets", "storage", f"a way to read {release.storage_uri}", "bundles.storageUri", lambda _: missing)


def _secret(cluster: Cluster, namespace: str, name: str, scheme: str) -> Outcome:
    keys = list(KEYS.get(scheme, ()))
    found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    if found is None:
        annotate = (
            f" && kubectl annotate secret {name} --namespace {namespace} {PREFIX}endpoint=... {PREFIX}region=..." if scheme == "s3" else ""
        )
        return gap("there is none: KServe makes no pod at all", create_command(namespace, name, keys) + annotate)
    annotations = {
        key.removeprefix(PREFIX): value for key, value in (found["metadata"].get("annotations") or {}).items() if key.startswith(PREFIX)
    }
    is_anonymous = annotations.get("useanoncredential", "").lower() in ("1", "true")
    missing = [key for key in keys if key not in (found.get("data") or {})]
    if missing and not is_anonymous:
        fix = f"add to it: kubectl edit secret {name} --namespace {namespace}"
        return gap(f"it has no key {', '.join(missing)}: KServe passes no credentials on", fix)
    if scheme != "s3":
        return ok("there, with its keys" if keys else "there")
    shown = ", ".join(f"s3-{key}={annotations[key]}" for key in ("endpoint", "region", "usehttps") if key in annotations)
    return ok(shown or "no endpoint is annotated: Amazon's own is read")
