"""KServe's model server bound to one address, in the caller's event loop, with endcap's admission, errors and way out."""

import asyncio
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import grpc.aio
import uvicorn
from fastapi import FastAPI
from kserve import InferRequest, ModelServer
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer
from prometheus_client import REGISTRY
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from endcap.contracts.openapi import openapi_document
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.settings import ServingSettings, Settings
from endcap_transformer.resilience.admission import Admission, LoopLag
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.admission_layers import GrpcAdmission, HttpAdmission, TimedHttp
from endcap_transformer.server.draining import Draining
from endcap_transformer.server.error_answers import ErrorAnswers, GrpcErrorAnswers
from endcap_transformer.server.grpc_servicer import UnversionedServicer
from endcap_transformer.server.http_layers import MetricsPage
from endcap_transformer.server.infer_v2 import InferV2
from endcap_transformer.server.methods import Methods
from endcap_transformer.server.model import RecommendationModel
from endcap_transformer.server.parsing_v2 import LENGTH_HEADER, require_readable
from endcap_transformer.server.predict_v1 import PredictV1
from endcap_transformer.server.whole_body import WholeBody
from endcap_transformer.telemetry.metrics import ServingMetrics

APP = "kserve.model_server:app"
KEEP_ALIVE_S = 75
"""Longer than load balancers keep an idle connection, so that they are the ones to close it."""
PACKED_FROM_BYTES = 4 * 1024
"""Answers of this length are packed for who accepts it: below, some 20 items, they fit a few packets and packing saves no round trip."""
PACKED_LEVEL = 1
"""18.3 kB become 3.1 kB in 0.07 ms; level 9 makes 2.8 kB of them in 0.37 ms."""


class DrainedDataPlane(DataPlane):  # type: ignore[misc]
    """Ready when every model is, where KServe's own is ready from its first moment; and not ready any more while it drains."""

    def __init__(self, model_registry: Any, draining: Draining) -> None:
        super().__init__(model_registry=model_registry)
        self._draining = draining

    async def ready(self) -> bool:
        models = self.model_registry.get_models().values()
        return not self._draining.has_begun and bool(models) and all([await model.healthy() for model in models])

    async def model_ready(self, model_name: str, disable_predictor_health_check: bool = False) -> bool:
        """Predict calls disable the predictor's health check: these are still answered."""
        is_ready: bool = await super().model_ready(model_name, disable_predictor_health_check)
        return is_ready and (disable_predictor_health_check or not self._draining.has_begun)

    def decode_inference_request(self, body: Any, headers: dict[str, str], model_name: str) -> InferRequest:
        """Tensors as bytes are read by struct and numpy, which raise what they like."""
        length = headers.get(LENGTH_HEADER) if isinstance(body, bytes) else None
        if length is None:
            return super().decode_inference_request(body, headers, model_name)
        require_readable(body, length)
        try:
            return super().decode_inference_request(body, headers, model_name)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError, struct.error):
            raise InvalidInput("the bytes after the JSON do not fit the tensors", field="inputs") from None


class PromotedModels(ModelRepositoryExtension):  # type: ignore[misc]
    """Models come and go by promotion, not by request."""

    async def load(self, model_name: str) -> None:
        raise NotImplementedError(f"{model_name}: bundles are loaded by `endcap bundle promote`")

    async def unload(self, model_name: str) -> None:
        raise NotImplementedError(f"{model_name}: a served bundle is replaced by `endcap bundle promote`")


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers: `Draining` says when it stops."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def close_connections(self) -> None:
        """Each connection is closed with its next answer, so that clients go elsewhere."""
        for headers in (self.config.encoded_headers, self.server_state.default_headers):
            headers.append((b"connection", b"close"))


class BoundRestServer(RESTServer):  # type: ignore[misc]
    """KServe's HTTP server on the configured address instead of all, with endcap's layers in front of its application.

    From the outside in: the whole body, methods, metrics, packed answers, V1 predict (answer cache, then admission), admission of
    everything else that predicts, V2's JSON, KServe.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        models: ModelRepositoryExtension,
        settings: Settings,
        errors: ErrorAnswers,
    ) -> None:
        super().__init__(APP, data_plane, models, settings.serving.http_port, event_loop="uvloop", timeout_keep_alive=KEEP_ALIVE_S)
        self.config.host = settings.serving.host
        access = logging.getLogger("uvicorn.access")
        access.handlers, access.propagate = [], False  # uvicorn writes no line a request only when nothing could take it
        self.config.http = partial(TimedHttp, head_seconds=settings.serving.head_seconds, body_seconds=settings.serving.body_seconds)
        self.config.ws = "none"
        self.config.server_header = False
        self.config.timeout_graceful_shutdown = settings.resilience.drain_seconds
        self._server = QuietServer(self.config)
        self._errors = errors

    def put_in_front(self, model: RecommendationModel, admission: Admission, serving: ServingSettings) -> None:
        """Build the application and its layers."""
        from kserve.model_server import app

        self.create_application()
        app.openapi = partial(openapi_document, model.name)
        infer = HttpAdmission(InferV2(app, self._errors), admission)
        predict: ASGIApp = PredictV1(infer, model, admission, self._errors, self.dataplane)
        packed = GZipMiddleware(predict, minimum_size=PACKED_FROM_BYTES, compresslevel=PACKED_LEVEL)
        self.config.app = WholeBody(Methods(MetricsPage(packed, REGISTRY)), serving.body_max_bytes, serving.body_seconds)

    async def serve(self) -> None:
        """Serve until `stop`, then until what is in flight is done or out of time.

        Raises:
            SystemExit: uvicorn's way of saying that it could not bind.
        """
        await self._server.serve()

    def close_connections(self) -> None:
        self._server.close_connections()

    def stop(self) -> None:
        self._server.should_exit = True

    def _add_exception_handlers(self, app: FastAPI) -> None:
        self._errors.add_to(app)

    def _add_middlewares(self, app: FastAPI) -> None:
        """KServe's own times each request and writes a log line."""


class BoundModelServer(ModelServer):  # type: ignore[misc]
    """Serves HTTP and gRPC until SIGTERM or SIGINT, then drains."""

    def __init__(self, settings: Settings, metrics: ServingMetrics, limit: ConcurrencyLimit) -> None:
        super().__init__(
            http_port=settings.serving.http_port, grpc_port=settings.serving.grpc_port, enable_latency_logging=False, workers=1
        )
        self._settings = settings
        self._metrics = metrics
        self._draining = Draining(settings.resilience, metrics)
        self._lag = LoopLag(metrics.event_loop_lag.observe)
        self.admission = Admission(settings.resilience, settings.serving.request_budget_ms, metrics, self._lag, limit)
        self.dataplane = DrainedDataPlane(self.registered_models, self._draining)
        self.model_repository_extension = PromotedModels(model_registry=self.registered_models)

    async def serve(self, model: RecommendationModel) -> None:
        """Serve one model in the running event loop.

        Raises:
            DependencyUnavailable: a port is in use.
        """
        model.enable_latency_logging = False
        self.register_model(model)
        rpc = self._grpc()
        rest = BoundRestServer(self.dataplane, self.model_repository_extension, self._settings, ErrorAnswers(self._metrics))
        rest.put_in_front(model, self.admission, self._settings.serving)
        await rpc.start()
        self._draining.listen()
        self._lag.start()
        try:
            await self._until_drained(rest, rpc)
        finally:
            self._lag.stop()
            await rpc.stop(None)

    async def _until_drained(self, rest: BoundRestServer, rpc: Any) -> None:
        serving = asyncio.create_task(rest.serve())
        signalled = asyncio.create_task(self._draining.signalled())
        await asyncio.wait({serving, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            signalled.cancel()
        else:
            rest.close_connections()
            await asyncio.sleep(self._draining.unready_s)
            rest.stop()
            await rpc.stop(self._settings.resilience.drain_seconds)
        try:
            await serving
        except SystemExit:
            raise self._in_use("ENDCAP_SERVING__HTTP_PORT", self._settings.serving.http_port) from None

    def _grpc(self) -> Any:
        serving = self._settings.serving
        server = grpc.aio.server(
            interceptors=(GrpcAdmission(self.admission), GrpcErrorAnswers(self._metrics)),
            options=[("grpc.max_receive_message_length", serving.body_max_bytes), ("grpc.so_reuseport", 0)],
        )
        servicer = UnversionedServicer(self.dataplane, self.model_repository_extension)
        grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
        try:
            bound = server.add_insecure_port(f"{serving.host}:{serving.grpc_port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise self._in_use("ENDCAP_SERVING__GRPC_PORT", serving.grpc_port)
        return server

    def _in_use(self, setting: str, port: int) -> DependencyUnavailable:
        return DependencyUnavailable(
            "the address is in use",
            field=setting,
            value=f"{self._settings.serving.host}:{port}",
            fix="stop what listens there, or set another port",
        )
