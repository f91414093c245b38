"""Reaching an address from where the doctor runs, and what it means when that does not work."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from endcap.core.errors import EndcapError
from endcap.doctor.check import Outcome, gap, warning
from endcap.doctor.cluster import Cluster, NotAllowed

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443}


class Unreachable(EndcapError):
    """Nothing answers at an address, as seen from here.

    Attributes:
        is_refused: something is there and says no; else the name is unknown here, or nothing came back.
    """

    def __init__(self, message: str, host: str, port: int, *, is_refused: bool = False) -> None:
        self.host = host
        self.port = port
        self.is_refused = is_refused
        super().__init__(message)


@dataclass(frozen=True)
class Answer:
    """What an HTTP server answered."""

    status: int
    body: str


@contextmanager
def connected(host: str, port: int, tls: ssl.SSLContext | None = None) -> Iterator[socket.socket]:
    """A connection with time-outs.

    Raises:
        Unreachable: there is none.
    """
    try:
        plain = socket.create_connection((host, port), timeout=CONNECT_TIMEOUT_S)
    except ConnectionRefusedError as error:
        raise Unreachable("the connection is refused", host, port, is_refused=True) from error
    except socket.gaierror as error:
        raise Unreachable("its name is not known here", host, port) from error
    except OSError as error:
        raise Unreachable(f"no connection from here: {error}", host, port) from error
    with plain:
        plain.settimeout(READ_TIMEOUT_S)
        if tls is None:
            yield plain
            return
        try:
            encrypted = tls.wrap_socket(plain, server_hostname=host)
        except OSError as error:
            raise Unreachable(f"TLS fails: {error}", host, port, is_refused=True) from error
        with encrypted:
            yield encrypted


def ask_http(url: str, authority: str | None = None) -> Answer:
    """GET an address.

    Args:
        url: the address.
        authority: certificate authority that it is checked by, PEM; None for the system's own.

    Raises:
        Unreachable: no HTTP server answers.
    """
    import httpx

    host, port = host_and_port(url)
    with connected(host, port):
        pass  # tells a name that is not known here from a connection that is refused
    timeout = httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        answer = httpx.get(url, timeout=timeout, trust_env=False, verify=ssl.create_default_context(cadata=authority))
        return Answer(answer.status_code, answer.content.decode("utf-8", "replace"))
    except httpx.HTTPError as error:
        raise Unreachable(f"no answer over HTTP: {error}", host, port, is_refused=True) from error


def host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url if "://" in url else f"tcp://{url}")
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)


@dataclass(frozen=True)
class Service:
    """A Service that a host may name inside a cluster.

    Attributes:
        is_certain: the host can be nothing else; `shop.example` may as well be a host of the internet.
    """

    name: str
    namespace: str
    is_certain: bool


def in_cluster(cluster: Cluster, url: str, namespace: str, reason: Unreachable) -> Outcome:
    """What to say of an address that does not answer from here: names of Services may work from the cluster's pods only."""
    if reason.is_refused:
        return gap(f"{reason.host}:{reason.port}: {reason.message}", f"check the address {url} and what listens there")
    elsewhere = warning(f"not reachable from here: {reason.message}", _try_from_a_pod(reason.host, reason.port))
    service = service_of(reason.host, namespace)
    if service is None:
        return elsewhere
    fix = _try_from_a_pod(f"{service.name}.{service.namespace}.svc", reason.port)
    place = f"Service {service.name} in namespace {service.namespace}"
    try:
        if cluster.get(f"/api/v1/namespaces/{service.namespace}/services/{service.name}") is None:
            if service.is_certain or cluster.get(f"/api/v1/namespaces/{service.namespace}") is not None:
                return gap(f"there is no {place}", f"check the address {url}, or create what it names")
            return elsewhere
        ready = _ready_endpoints(cluster, service.namespace, service.name)
    except NotAllowed:
        return warning(f"not reachable from here ({reason.message}); {place} may not be read", fix)
    return warning(f"not reachable from here; {place} has {ready or 'no'} ready endpoint{'' if ready == 1 else 's'}", fix)


def service_of(host: str, namespace: str) -> Service | None:
    """The Service that a host names inside a cluster; None for another host."""
    labels = host.removesuffix(".").removesuffix(".cluster.local").split(".")
    if host == "localhost" or ":" in host or all(each.isdigit() for each in labels):
        return None
    if len(labels) == 1:
        return Service(labels[0], namespace, is_certain=True)
    if len(labels) == 2:
        return Service(labels[0], labels[1], is_certain=False)
    # before it there may be a pod of a headless Service
    return Service(labels[-3], labels[-2], is_certain=True) if labels[-1] == "svc" else None


def _ready_endpoints(cluster: Cluster, namespace: str, service: str) -> int:
    query = {"labelSelector": f"kubernetes.io/service-name={service}"}
    slices = cluster.items(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", query)
    endpoints = [endpoint for each in slices for endpoint in each.get("endpoints") or ()]
    return sum(1 for each in endpoints if (each.get("conditions") or {}).get("ready", True))


def _try_from_a_pod(host: str, port: int) -> str:
    return f"try: kubectl run reach --namespace default --rm -i --restart=Never --image=busybox:1.37 -- nc -zvw3 {host} {port}"
