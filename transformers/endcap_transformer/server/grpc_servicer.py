"""The gRPC service: KServe's, which would leave the version that a call asks for unread."""

from typing import Any

from kserve.protocol.grpc.servicer import InferenceServicer

from endcap.core.errors import InvalidInput


class UnversionedServicer(InferenceServicer):  # type: ignore[misc]
    """Refuses a version by name, which over HTTP KServe does with 501: an answer of another bundle would be taken for the one asked for."""

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802 - KServe's name
        _refuse(request.model_version)
        return await super().ModelInfer(request, context)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        _refuse(request.version)
        return await super().ModelReady(request, context)

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        _refuse(request.version)
        return await super().ModelMetadata(request, context)


def _refuse(version: str) -> None:
    if version:
        raise InvalidInput("must be empty: bundles are chosen by `endcap bundle promote`", field="model_version", value=version)
