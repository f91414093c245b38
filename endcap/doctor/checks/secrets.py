"""Secrets that the values name: each exists and has the keys that are read."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.cluster import Cluster
from endcap.doctor.release import Release


@dataclass(frozen=True)
class Key:
    """One key of a secret, and the value that names it."""

    namespace: str
    secret: str
    key: str
    because: str


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    if not values["feast.registry.secretName"] and (values["serving.enabled"] or values["pipelines.enabled"]):
        missing = gap("no secret is named: Helm refuses the values", "name the secret in feast.registry.secretName")
        yield Check("Secrets", "registry", "the address of Feast's registry", "feast.registry.secretName", lambda _: missing)
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
    if values["kafka.clientConfig.secretName"] and (values["serving.enabled"] or values["evidence.enabled"]):
        yield from _named(release, ("kafka.clientConfig.secretName", "kafka.clientConfig.key"), own)
    yield from _parts(release)
    for name in values["images.pullSecrets"] or ():
        yield Key(own, str(name), ".dockerconfigjson", "images.pullSecrets")


def _stores(release: Release, namespace: str) -> Iterator[Key]:
    """What serving pods and pipeline steps both read."""
    values = release.values
    yield from _named(release, ("feast.registry.secretName", "feast.registry.key"), namespace)
    yield from _named(release, ("milvus.auth.secretName", "milvus.auth.key"), namespace)
    if values["redis.address.secretName"]:
        yield from _named(release, ("redis.address.secretName", "redis.address.key"), namespace)
    elif namespace == release.namespace:
        yield from _named(release, ("redis.auth.secretName", "redis.auth.key"), namespace)
    for name in ("milvus.caSecretName", "redis.caSecretName"):
        if values[name]:
            yield Key(namespace, str(values[name]), "ca.crt", name)


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
        return gap("there is none", create_command(namespace, secret, names))
    missing = [name for name in names if name not in (found.get("data") or {})]
    if missing:
        return gap(f"it has no key {', '.join(missing)}", f"add to it: kubectl edit secret {secret} --namespace {namespace}")
    return ok("there, with its keys" if len(names) > 1 else "there, with its key")


def create_command(namespace: str, secret: str, names: list[str]) -> str:
    """How to make a secret; its values are for the reader to fill in."""
    if names == [".dockerconfigjson"]:
        options = " ".join(f"--docker-{name}=..." for name in ("server", "username", "password"))
        return f"kubectl create secret docker-registry {secret} --namespace {namespace} {options}"
    literals = " ".join(f"--from-literal={name}=..." for name in names)
    return f"kubectl create secret generic {secret} --namespace {namespace} {literals}"
