"""gRPC channels to Milvus: encrypted and with the token where the settings say so, for what pymilvus has no call for, or a slow one."""

import base64
from collections.abc import Sequence
from typing import Any

from endcap.core.settings import MilvusSettings
from endcap.core.tracer import Metadata

Options = Sequence[tuple[str, Any]]


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
