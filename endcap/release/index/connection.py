"""Connecting to Milvus: one place where a Milvus that does not answer becomes a clear error."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap.release.index.channel import open_channel

CONNECT_TIMEOUT_S = 10.0


def milvus_uri(settings: MilvusSettings) -> str:
    return f"{'https' if settings.tls else 'http'}://{settings.host}:{settings.port}"


def connect(settings: MilvusSettings, timeout_s: float = CONNECT_TIMEOUT_S) -> Any:
    """A `pymilvus.MilvusClient`; close it when done.

    Raises:
        DependencyUnavailable: nothing listens there, or what listens is not Milvus.
    """
    try:
        _reach(settings)
    except OSError as error:
        raise unavailable(settings, f"no Milvus answers: {error}") from error
    from pymilvus import MilvusClient, MilvusException

    # pymilvus writes a stack trace for every refused call, also for those that we answer ourselves.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    try:
        return MilvusClient(uri=milvus_uri(settings), timeout=timeout_s, **_security(settings))
    except (MilvusException, OSError) as error:
        raise unavailable(settings, f"Milvus does not answer: {error}") from error


@contextmanager
def grpc_service(settings: MilvusSettings) -> Iterator[Any]:
    """Milvus's own gRPC, for what pymilvus has no call for, or a slow one."""
    import grpc
    from pymilvus.grpc_gen import milvus_pb2_grpc

    options = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))
    with open_channel(settings, options) as channel:
        try:
            yield milvus_pb2_grpc.MilvusServiceStub(channel)
        except grpc.RpcError as error:
            raise unavailable(settings, f"Milvus did not answer: {error.code().name}") from error


def _security(settings: MilvusSettings) -> dict[str, str]:
    """What pymilvus takes beside the address."""
    token = {"token": settings.token.get_secret_value()} if settings.token else {}
    return token | ({"server_pem_path": str(settings.ca_file)} if settings.tls and settings.ca_file else {})


def answers(settings: MilvusSettings, timeout_s: float = CONNECT_TIMEOUT_S) -> bool:
    """Whether a Milvus is there and serves requests."""
    if not port_is_taken(settings):
        return False
    from pymilvus import MilvusException

    try:
        client = connect(settings, timeout_s)
    except DependencyUnavailable:
        return False
    try:
        client.list_collections(timeout=timeout_s)
    except (MilvusException, OSError):
        return False
    finally:
        client.close()
    return True


def port_is_taken(settings: MilvusSettings) -> bool:
    """Whether anything accepts connections at host and port."""
    try:
        _reach(settings)
    except OSError:
        return False
    return True


def _reach(settings: MilvusSettings) -> None:
    socket.create_connection((settings.host, settings.port), timeout=1.0).close()


def unavailable(settings: MilvusSettings, message: str) -> DependencyUnavailable:
    return DependencyUnavailable(
        message,
        field="ENDCAP_MILVUS__HOST, ENDCAP_MILVUS__PORT",
        value=f"{settings.host}:{settings.port}",
        fix="start Milvus there, or set ENDCAP_MILVUS__MANAGED=true to have a local one started",
    )
