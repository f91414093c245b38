"""Connecting to Milvus: one place where a Milvus that does not answer becomes a clear error.

gRPC channels are for what pymilvus has no call for, or a slow one: encrypted and with the token where the settings say so.
"""

import base64
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap.core.tracer import Metadata

Options = Sequence[tuple[str, Any]]


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


def call_metadata(settings: MilvusSettings) -> Metadata:
    """What every call carries: the token, as Milvus reads it."""
    if settings.token is None:
        return ()
    return (("authorization", base64.b64encode(settings.token.get_secret_value().encode()).decode()),)


def open_channel(settings: MilvusSettings, options: Options) -> Any:
    """A blocking channel whose calls carry `call_metadata`."""
    import grpc

    address = f"{settings.host}:{settings.port}"
    if settings.tls:
        channel = grpc.secure_channel(address, _credentials(settings), options=options)
    else:
        channel = grpc.insecure_channel(address, options=options)
    return grpc.intercept_channel(channel, _with_metadata(call_metadata(settings))) if settings.token else channel


def open_async_channel(settings: MilvusSettings, options: Options) -> Any:
    """A channel of the running event loop; its callers pass `call_metadata` themselves."""
    import grpc.aio

    address = f"{settings.host}:{settings.port}"
    if settings.tls:
        return grpc.aio.secure_channel(address, _credentials(settings), options=options)
    return grpc.aio.insecure_channel(address, options=options)


def _credentials(settings: MilvusSettings) -> Any:
    import grpc

    return grpc.ssl_channel_credentials(settings.ca_file.read_bytes() if settings.ca_file else None)


def _with_metadata(metadata: Metadata) -> Any:
    import grpc

    class WithMetadata(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc,unused-ignore]
        def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
            return continuation(details._replace(metadata=(*(details.metadata or ()), *metadata)), request)

    return WithMetadata()


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
