"""Milvus, Redis and Kafka that the values give as addresses: each answers in its own protocol, called from here."""

import base64
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from endcap.doctor import protocols
from endcap.doctor.check import Check, Outcome, gap, ok
from endcap.doctor.cluster import Cluster, NotAllowed
from endcap.doctor.protocols import Refused
from endcap.doctor.reach import Unreachable, host_and_port, in_cluster
from endcap.doctor.release import Release

Ask = Callable[[Cluster], str]


def checks(release: Release) -> Iterator[Check]:
    values = release.values
    uses_stores = values["serving.enabled"] or values["pipelines.enabled"]
    uses_redis = uses_stores or values["stream.enabled"]
    if not values["milvus.enabled"] and (uses_stores or values["rollouts.operator.enabled"]):
        yield _check(release, "Milvus", "milvus", lambda cluster: _milvus(cluster, release))
    if not values["redis.enabled"] and uses_redis and values["redis.address.secretName"]:
        place = f"the address in secret {values['redis.address.secretName']}"
        look = partial(_answer, release=release, place=place, ask=partial(_redis_of_secret, release=release))
        yield Check("Redis", "address", f"Redis at {place}", "redis.address.secretName", look)
    elif not values["redis.enabled"] and uses_redis:
        yield _check(release, "Redis", "redis", lambda cluster: _redis(cluster, release))
    if not values["kafka.enabled"]:
        for place in filter(None, (each.strip() for each in str(values["kafka.bootstrap"] or "").split(","))):
            look = partial(_answer, release=release, place=place, ask=partial(_kafka, release=release, place=place))
            yield Check("Kafka", f"address-{place}", f"Kafka at {place}", "kafka.bootstrap", look)


def _check(release: Release, part: str, value: str, ask: Ask) -> Check:
    host = release.values[f"{value}.host"]
    if not host:
        missing = gap("no address is given: Helm refuses the values", f"give {value}.host, or let one be made with {value}.enabled")
        return Check(part, "address", f"an address of {part}", f"{value}.host", lambda _: missing)
    place = f"{host}:{release.values[f'{value}.port']}"
    return Check(part, "address", f"{part} at {place}", f"{value}.host", partial(_answer, release=release, place=place, ask=ask))


def _answer(cluster: Cluster, release: Release, place: str, ask: Ask) -> Outcome:
    try:
        return ok(ask(cluster))
    except Refused as reason:
        return gap(reason.message, reason.fix or "")
    except Unreachable as reason:
        return in_cluster(cluster, place, release.namespace, reason)


def _milvus(cluster: Cluster, release: Release) -> str:
    values = release.values
    token = secret_text(cluster, release.namespace, values["milvus.auth.secretName"], values["milvus.auth.key"])
    authority = secret_text(cluster, release.namespace, values["milvus.caSecretName"], "ca.crt") if values["milvus.tls"] else None
    host, port = str(values["milvus.host"]), int(values["milvus.port"])
    credentials = protocols.channel_credentials(authority) if values["milvus.tls"] else None
    is_withheld = bool(values["milvus.auth.secretName"]) and token is None
    return protocols.ask_milvus(host, port, credentials, token, is_withheld=is_withheld)


def _redis(cluster: Cluster, release: Release) -> str:
    values = release.values
    password = secret_text(cluster, release.namespace, values["redis.auth.secretName"], values["redis.auth.key"])
    tls = _context(cluster, release) if values["redis.tls"] else None
    is_withheld = bool(values["redis.auth.secretName"]) and password is None
    return protocols.ask_redis(str(values["redis.host"]), int(values["redis.port"]), tls, password, is_withheld=is_withheld)


def _redis_of_secret(cluster: Cluster, release: Release) -> str:
    """By the whole address as Feast reads it.

    Raises:
        NotAllowed: it is not there, or may not be read.
    """
    values = release.values
    address = secret_text(cluster, release.namespace, values["redis.address.secretName"], values["redis.address.key"])
    if address is None:
        raise NotAllowed("the address cannot be read from the secret")
    place, *options = address.split(",")
    settings = dict(each.partition("=")[::2] for each in options)
    host, port = host_and_port(place)
    tls = _context(cluster, release) if settings.get("ssl", "").lower() == "true" else None
    return protocols.ask_redis(host, port, tls, settings.get("password", "").strip('"') or None, is_withheld=False)


def _context(cluster: Cluster, release: Release) -> ssl.SSLContext:
    authority = secret_text(cluster, release.namespace, release.values["redis.caSecretName"], "ca.crt")
    return ssl.create_default_context(cadata=authority)


def _kafka(_: Cluster, release: Release, place: str) -> str:
    host, port = host_and_port(place)
    return protocols.ask_kafka(host, port, is_plain=not release.values["kafka.clientConfig.secretName"])


def secret_text(cluster: Cluster, namespace: str, name: Any, key: Any) -> str | None:
    """One key of a secret, for calling a store as the release would; it is never shown.

    None when no secret is named, it is not there, or the caller may not read it. Whether it is there is for the checks of secrets to say.
    """
    if not name or not key:
        return None
    try:
        found = cluster.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    except NotAllowed:
        found = None
    text = ((found or {}).get("data") or {}).get(str(key))
    return base64.b64decode(text).decode("utf-8", "replace").strip() if text else None
