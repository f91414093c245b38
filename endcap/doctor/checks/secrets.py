"""Secrets that the values name: each exists and has the keys that are read."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from endcap.doctor.check import Check, Outcome, gap, ok, warning
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release

S3_PREFIX = "serving.kserve.io/s3-"
STORAGE_KEYS = {
    "s3": ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    "gs": ("gcloud-application-credentials.json",),
    "hf": ("HF_TOKEN",),
}
"""Keys by the scheme of the address, as KServe calls them unless its ConfigMap (key `credentials`) gives other names."""

COLLECTOR_KEYS = ("keys.yaml", "dead-letters.key", "pixel.key")


@dataclass(frozen=True)
class Key:
    """One key of a secret, and the value that names it."""

    namespace: str
    secret: str
    key: str
    because: str


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if release.runs_any("serving", "pipelines", "stream"):
        yield from _unnamed(release, "registry", "the address of Feast's registry", "feast.registry.secretName")
    if values["collector.enabled"]:
        yield from _unnamed(release, "collector", f"a secret with {', '.join(COLLECTOR_KEYS)}", "collector.secretName")
    if release.stream_runner and not release.stream_secret:
        missing = gap("no secret is named: Helm refuses the values", "name the secret in stream.secretName")
        yield Check("Secrets", "stream", "a secret with dead-letters.key", "stream.secretName", lambda _: missing)
    by_secret: dict[tuple[str, str], list[Key]] = defaultdict(list)
    for each in keys(release):
        by_secret[each.namespace, each.secret].append(each)
    for (namespace, secret), wanted in by_secret.items():
        names = list(dict.fromkeys(each.key for each in wanted))
        place = "" if namespace == release.namespace else f" in {namespace}"
        yield Check(
            "Secrets",
            f"secret-{secret}" if namespace == release.namespace else f"secret-{namespace}-{secret}",
            f"secret {secret}{place} with {', '.join(names)}",
            ", ".join(dict.fromkeys(each.because for each in wanted)),
            lambda cluster, namespace=namespace, secret=secret, names=names: _secret(cluster, namespace, secret, names),  # type: ignore[misc]
        )
    yield from _storage(release)


def _unnamed(release: Release, name: str, needed: str, value: str) -> Iterator[Check]:
    """A gap where a secret that is always needed has no name."""
    if not release.values[value]:
        missing = gap("no secret is named: Helm refuses the values", f"name the secret in {value}")
        yield Check("Secrets", name, needed, value, lambda _: missing)


def keys(release: Release) -> Iterator[Key]:
    """All keys that pods of the release read."""
    values, own = release.values, release.namespace
    if values["serving.enabled"]:
        yield from _stores(release, own)
        yield from _listed(release, "serving.transformer.secretEnv", own)
    if values["pipelines.enabled"]:
        yield from _stores(release, release.pipeline_namespace)
        yield from _listed(release, "pipelines.secretEnv", release.pipeline_namespace)
    if values["rollouts.operator.enabled"]:
        yield from _listed(release, "rollouts.operator.secretEnv", own)
        yield from _named(release, ("milvus.auth.secretName", "milvus.auth.key"), own)
    if values["spark.enabled"]:
        yield from _listed(release, "spark.secretEnv", own)
    if values["redis.enabled"]:
        yield from _named(release, ("redis.auth.secretName", "redis.auth.key"), own)
    if values["collector.enabled"]:
        yield from _collector(release)
    if release.stream_runner:
        yield from _stream(release)
    if values["kafka.clientConfig.secretName"] and release.runs_any("serving", "evidence", "collector", "stream"):
        yield from _named(release, ("kafka.clientConfig.secretName", "kafka.clientConfig.key"), own)
    yield from _schema_registry(release)
    yield from _parts(release)
    for name in values["images.pullSecrets"] or ():
        yield Key(own, str(name), ".dockerconfigjson", "images.pullSecrets")


def _stores(release: Release, namespace: str) -> Iterator[Key]:
    """What serving pods and pipeline steps both read."""
    values = release.values
    yield from _feast(release, namespace)
    yield from _named(release, ("milvus.auth.secretName", "milvus.auth.key"), namespace)
    if values["personIds.secretName"]:
        yield Key(namespace, str(values["personIds.secretName"]), "person-ids.key", "personIds.secretName")
    if values["milvus.caSecretName"]:
        yield Key(namespace, str(values["milvus.caSecretName"]), "ca.crt", "milvus.caSecretName")


def _feast(release: Release, namespace: str) -> Iterator[Key]:
    """What whoever opens Feast's online store reads."""
    values = release.values
    yield from _named(release, ("feast.registry.secretName", "feast.registry.key"), namespace)
    if values["redis.address.secretName"]:
        yield from _named(release, ("redis.address.secretName", "redis.address.key"), namespace)
    elif namespace == release.namespace:
        yield from _named(release, ("redis.auth.secretName", "redis.auth.key"), namespace)
    if values["redis.caSecretName"]:
        yield Key(namespace, str(values["redis.caSecretName"]), "ca.crt", "redis.caSecretName")


def _stream(release: Release) -> Iterator[Key]:
    values, own = release.values, release.namespace
    yield from _feast(release, own)
    yield from _listed(release, "stream.secretEnv", own)
    if secret := release.stream_secret:
        yield Key(own, secret, "dead-letters.key", "stream.secretName" if values["stream.secretName"] else "collector.secretName")
    if release.stream_runner == "spark":
        yield from _named(release, ("stream.spark.kafkaOptions.secretName", "stream.spark.kafkaOptions.key"), own)


def _collector(release: Release) -> Iterator[Key]:
    values, own = release.values, release.namespace
    yield from _listed(release, "collector.secretEnv", own)
    for key in COLLECTOR_KEYS if values["collector.secretName"] else ():
        yield Key(own, str(values["collector.secretName"]), key, "collector.secretName")
    if values["personIds.secretName"]:
        yield Key(own, str(values["personIds.secretName"]), "person-ids.key", "personIds.secretName")


def _schema_registry(release: Release) -> Iterator[Key]:
    values, own = release.values, release.namespace
    if values["schemaRegistry.auth.secretName"]:
        for key in ("token",) if values["schemaRegistry.auth.kind"] == "token" else ("user", "password"):
            yield Key(own, str(values["schemaRegistry.auth.secretName"]), key, "schemaRegistry.auth.secretName")
    if values["schemaRegistry.caSecretName"]:
        yield Key(own, str(values["schemaRegistry.caSecretName"]), "ca.crt", "schemaRegistry.caSecretName")


def _parts(release: Release) -> Iterator[Key]:
    """What operators read to make parts of the release."""
    values, namespace = release.values, release.parts_namespace
    if values["milvus.enabled"]:
        if values["milvus.auth.rootKey"]:
            yield from _named(release, ("milvus.auth.secretName", "milvus.auth.rootKey"), namespace)
        if not values["milvus.storage.inCluster"] and values["milvus.storage.secretName"]:
            for key in ("accesskey", "secretkey"):
                yield Key(namespace, str(values["milvus.storage.secretName"]), key, "milvus.storage.secretName")
    if values["feast.operator.enabled"] and values["feast.operator.envSecretName"]:
        for key in ("FEAST_REGISTRY", "FEAST_REDIS"):
            yield Key(namespace, str(values["feast.operator.envSecretName"]), key, "feast.operator.envSecretName")


def _named(release: Release, names: tuple[str, str], namespace: str) -> Iterator[Key]:
    secret, key = (release.values[name] for name in names)
    if secret and key:
        yield Key(namespace, str(secret), str(key), names[0])


def _listed(release: Release, name: str, namespace: str) -> Iterator[Key]:
    for each in release.values[name] or ():
        yield Key(namespace, str(each["secretName"]), str(each["key"]), name)


def _secret(cluster: Cluster, namespace: str, secret: str, names: list[str]) -> Outcome:
    found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{secret}")
    if found is None:
        return gap("there is none", _create_command(namespace, secret, names))
    missing = [name for name in names if name not in (found.get("data") or {})]
    if missing:
        return gap(f"it has no key {', '.join(missing)}", f"add to it: kubectl edit secret {secret} --namespace {namespace}")
    return ok("there, with its keys" if len(names) > 1 else "there, with its key")


def _create_command(namespace: str, secret: str, names: list[str]) -> str:
    """How to make a secret; its values are for the reader to fill in."""
    if names == [".dockerconfigjson"]:
        options = " ".join(f"--docker-{name}=..." for name in ("server", "username", "password"))
        return f"kubectl create secret docker-registry {secret} --namespace {namespace} {options}"
    literals = " ".join(f"--from-literal={name}=..." for name in names)
    return f"kubectl create secret generic {secret} --namespace {namespace} {literals}"


def _storage(release: Release) -> Iterator[Check]:
    """Secrets of the object storage that bundles are in, as KServe's storage initializer reads them."""
    values = release.values
    if not values["serving.enabled"]:
        return
    scheme = release.storage_uri.partition("://")[0]
    for name in values["bundles.storageSecrets"] or ():
        keys = STORAGE_KEYS.get(scheme, ())
        yield Check(
            "Secrets",
            f"storage-{name}",
            f"secret {name}{' with ' if keys else ''}{', '.join(keys)} for {scheme}://",
            "bundles.storageSecrets",
            lambda cluster, name=str(name): _storage_secret(cluster, release.namespace, name, scheme),  # type: ignore[misc]
        )
    if scheme in STORAGE_KEYS and not values["bundles.storageSecrets"] and not values["serviceAccounts.annotations"]:
        missing = warning(
            "no secret and no identity: only a public bucket can be read",
            "name a secret in bundles.storageSecrets, or a workload identity in serviceAccounts.annotations",
        )
        yield Check("Secrets", "storage", f"a way to read {release.storage_uri}", "bundles.storageUri", lambda _: missing)


def _storage_secret(cluster: Cluster, namespace: str, name: str, scheme: str) -> Outcome:
    keys = list(STORAGE_KEYS.get(scheme, ()))
    found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    if found is None:
        annotate = (
            f" && kubectl annotate secret {name} --namespace {namespace} {S3_PREFIX}endpoint=... {S3_PREFIX}region=..."
            if scheme == "s3"
            else ""
        )
        return gap("there is none: KServe makes no pod at all", _create_command(namespace, name, keys) + annotate)
    annotations = {
        key.removeprefix(S3_PREFIX): value
        for key, value in (found["metadata"].get("annotations") or {}).items()
        if key.startswith(S3_PREFIX)
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
