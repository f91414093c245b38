"""Errors as answers: a JSON body `{"error": ...}` over HTTP, a status code over gRPC, never a stack trace."""

import traceback
from typing import Any, Never

import grpc
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from grpc_interceptor import AsyncExceptionToStatusInterceptor
from kserve import errors as kserve_errors
from starlette.exceptions import HTTPException

from endcap.core.errors import EndcapError
from endcap.core.log import get_logger
from endcap_transformer.telemetry.metrics import ServingMetrics


def printable(text: str) -> str:
    """The text with a question mark for each half of a character."""
    return text.encode(errors="replace").decode()


INTERNAL = "the server failed; its log has the cause"
NOT_READY = (kserve_errors.ModelNotReady, kserve_errors.ServerNotReady, kserve_errors.ServerNotLive)
"""Answers to probes: nothing has failed."""


def describe(error: Exception) -> tuple[int, grpc.StatusCode, str]:  # noqa: PLR0911 - one line a kind
    """HTTP status, gRPC status and message of an error."""
    match error:
        case EndcapError():
            code = grpc.StatusCode.INVALID_ARGUMENT if error.http_status < 500 else grpc.StatusCode.UNAVAILABLE
            return error.http_status, code, str(error)
        case kserve_errors.InvalidInput() | kserve_errors.InferenceError():
            return 400, grpc.StatusCode.INVALID_ARGUMENT, str(error)
        case RequestValidationError():
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"] if part not in ("InferenceRequest", "bytes", "function-plain[bytes]"))
            return 400, grpc.StatusCode.INVALID_ARGUMENT, f"{place}: {first['msg']}"
        case kserve_errors.ModelNotFound():
            return 404, grpc.StatusCode.NOT_FOUND, str(error)
        case _ if isinstance(error, NOT_READY):
            return 503, grpc.StatusCode.UNAVAILABLE, str(error)
        case NotImplementedError() | kserve_errors.UnsupportedProtocol():
            return 501, grpc.StatusCode.UNIMPLEMENTED, str(error)
        case HTTPException(status_code=405):
            return 405, grpc.StatusCode.INVALID_ARGUMENT, f"method: must be {_allowed(error).replace(', ', ' or ')}"
        case HTTPException():
            return error.status_code, grpc.StatusCode.INVALID_ARGUMENT, str(error.detail)
        case _ if _is_of_reading(error):
            return 400, grpc.StatusCode.INVALID_ARGUMENT, "the request cannot be read: see the Open Inference Protocol"
        case _:
            return 500, grpc.StatusCode.INTERNAL, INTERNAL


def _is_of_reading(error: Exception) -> bool:
    """Whether KServe failed at a request that it had not handed to the model: it reads tensors without a look at their types first."""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__)]
    return any(module.startswith("kserve.protocol") for module in modules) and "endcap_transformer.server.model" not in modules


def _allowed(error: HTTPException) -> str:
    """The methods of a path; HEAD is answered where GET is."""
    methods = (error.headers or {}).get("Allow", "")
    return methods.replace("GET", "GET, HEAD") if "HEAD" not in methods else methods


def _headers_of(error: Exception) -> dict[str, str] | None:
    """What the answer of an error says beside its status."""
    if not isinstance(error, HTTPException) or error.headers is None:
        return None
    return {**error.headers, "Allow": _allowed(error)} if error.status_code == 405 else dict(error.headers)


def error_body(message: str) -> bytes:
    """The JSON document of an error."""
    return orjson.dumps({"error": printable(message)})


class ErrorAnswers:
    """Errors of the HTTP endpoints as answers, logged and counted.

    Args:
        metrics: where they are counted.
    """

    def __init__(self, metrics: ServingMetrics) -> None:
        self._metrics = metrics
        self._log = get_logger("transformer")

    def answer(self, path: str, error: Exception) -> tuple[int, bytes]:
        """Status and JSON body of an error that a request to `path` ended in."""
        status, _, message = describe(error)
        if isinstance(error, NOT_READY):
            return status, error_body(message)
        self._metrics.refused.labels("http").inc()
        if status >= 500 and status != 501:
            self._metrics.failed.labels("http").inc()
            self._log.error("request failed", path=path, error=f"{type(error).__name__}: {error}")
        return status, error_body(message)

    def add_to(self, app: FastAPI) -> None:
        """Answer every error of an application's endpoints."""

        async def answered(request: Request, error: Exception) -> Response:
            status, body = self.answer(request.url.path, error)
            return Response(body, status, _headers_of(error), media_type="application/json")

        known = (
            EndcapError,
            kserve_errors.InvalidInput,
            kserve_errors.InferenceError,
            kserve_errors.ModelNotFound,
            *NOT_READY,
            kserve_errors.UnsupportedProtocol,
            NotImplementedError,
            RequestValidationError,
            HTTPException,
            Exception,
        )
        for kind in known:
            app.add_exception_handler(kind, answered)


class GrpcErrorAnswers(AsyncExceptionToStatusInterceptor):
    """Answer every error of the gRPC service."""

    def __init__(self, metrics: ServingMetrics) -> None:
        super().__init__()
        self._metrics = metrics
        self._log = get_logger("transformer")

    async def handle_exception(self, ex: Exception, request_or_iterator: Any, context: Any, method_name: str) -> Never:  # noqa: ARG002
        _, code, message = describe(ex)
        self._metrics.refused.labels("grpc").inc()
        if code in (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE):
            self._metrics.failed.labels("grpc").inc()
            self._log.error("request failed", method=method_name, error=f"{type(ex).__name__}: {ex}")
        await context.abort(code, printable(message))
        raise ex  # abort has raised
