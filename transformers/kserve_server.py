"""KServe's model server bound to one address, in the caller's event loop, with endcap's error answers and body limit."""

from typing import Any

import grpc.aio
from fastapi import FastAPI
from kserve import Model, ModelServer
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc
from kserve.protocol.grpc.servicer import InferenceServicer
from kserve.protocol.model_repository_extension import ModelRepositoryExtension
from kserve.protocol.rest.server import RESTServer

from endcap.errors import DependencyUnavailable
from endcap.settings import ServingSettings
from transformers.body_limit import BodyLimit
from transformers.error_answers import GrpcErrorAnswers, add_error_answers
from transformers.metrics import ServingMetrics

GRACE_SECONDS = 5
APP = "kserve.model_server:app"


class ReadyDataPlane(DataPlane):  # type: ignore[misc]
    """Ready when every model is, where KServe's own is ready from its first moment."""

    async def ready(self) -> bool:
        models = self.model_registry.get_models().values()
        return bool(models) and all([await model.healthy() for model in models])


class PromotedModels(ModelRepositoryExtension):  # type: ignore[misc]
    """Models come and go by promotion, not by request."""

    async def load(self, model_name: str) -> None:
        raise NotImplementedError(f"{model_name}: bundles are loaded by `endcap bundle promote`")

    async def unload(self, model_name: str) -> None:
        raise NotImplementedError(f"{model_name}: a served bundle is replaced by `endcap bundle promote`")


class BoundRestServer(RESTServer):  # type: ignore[misc]
    """KServe's HTTP server on the configured address instead of all."""

    def __init__(self, data_plane: DataPlane, models: ModelRepositoryExtension, settings: ServingSettings, metrics: ServingMetrics) -> None:
        super().__init__(APP, data_plane, models, settings.http_port, grace_period=GRACE_SECONDS, event_loop="uvloop")
        self.config.host = settings.host
        self.config.access_log = False
        self._body_max_bytes = settings.body_max_bytes
        self._metrics = metrics

    def _add_exception_handlers(self, app: FastAPI) -> None:
        add_error_answers(app, self._metrics)

    def _add_middlewares(self, app: FastAPI) -> None:
        app.add_middleware(BodyLimit, max_bytes=self._body_max_bytes)


class BoundModelServer(ModelServer):  # type: ignore[misc]
    """Serves HTTP and gRPC until SIGTERM or SIGINT."""

    def __init__(self, settings: ServingSettings, metrics: ServingMetrics) -> None:
        super().__init__(
            http_port=settings.http_port, grpc_port=settings.grpc_port, enable_latency_logging=False, workers=1, grace_period=GRACE_SECONDS
        )
        self._settings = settings
        self._metrics = metrics
        self.dataplane = ReadyDataPlane(model_registry=self.registered_models)
        self.model_repository_extension = PromotedModels(model_registry=self.registered_models)

    async def serve(self, model: Model) -> None:
        """Serve one model in the running event loop.

        Raises:
            DependencyUnavailable: a port is in use.
        """
        model.enable_latency_logging = False
        self.register_model(model)
        rpc = self._grpc()
        await rpc.start()
        rest = BoundRestServer(self.dataplane, self.model_repository_extension, self._settings, self._metrics)
        try:
            await rest.start()
        except SystemExit:  # uvicorn's way of saying that it could not bind
            raise self._in_use("ENDCAP_SERVING__HTTP_PORT", self._settings.http_port) from None
        finally:
            await rpc.stop(GRACE_SECONDS)

    def _grpc(self) -> Any:
        server = grpc.aio.server(
            interceptors=(GrpcErrorAnswers(self._metrics),),
            options=[("grpc.max_receive_message_length", self._settings.body_max_bytes), ("grpc.so_reuseport", 0)],
        )
        servicer = InferenceServicer(self.dataplane, self.model_repository_extension)
        grpc_predict_v2_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(servicer, server)
        try:
            bound = server.add_insecure_port(f"{self._settings.host}:{self._settings.grpc_port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise self._in_use("ENDCAP_SERVING__GRPC_PORT", self._settings.grpc_port)
        return server

    def _in_use(self, setting: str, port: int) -> DependencyUnavailable:
        return DependencyUnavailable(
            "the address is in use",
            field=setting,
            value=f"{self._settings.host}:{port}",
            fix="stop what listens there, or set another port",
        )
