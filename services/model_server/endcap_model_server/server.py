"""The local model server: TensorFlow Serving's gRPC API over a model base path, in one process on loopback."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.core.tracer import Tracer
from endcap.release.bundle.promotion import MODEL_FOLDER, model_base_path

if TYPE_CHECKING:
    import grpc

    from endcap_model_server.versions import ModelVersions

REQUEST_THREADS = 4
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
STOP_GRACE_SECONDS = 2.0


def serve(settings: Settings) -> None:
    """Load the newest version, then answer until SIGTERM or SIGINT.

    Raises:
        DependencyUnavailable: the port is in use.
    """
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _configure_tensorflow(settings.model_server.threads)
    from endcap_model_server.loading import load_version
    from endcap_model_server.tracing import open_tracer
    from endcap_model_server.versions import ModelVersions

    versions = ModelVersions(MODEL_FOLDER, model_base_path(settings.served_dir), load_version, time.monotonic)
    versions.rescan()
    tracer = open_tracer(settings)
    server = _grpc_server(settings, versions, tracer)
    server.start()
    get_logger("model_server").info("listening", address=f"{settings.model_server.host}:{settings.model_server.port}")
    threading.Thread(target=versions.watch, name="versions", daemon=True).start()
    stopped.wait()
    versions.stop()
    server.stop(STOP_GRACE_SECONDS).wait()
    if tracer is not None:
        tracer.close()


def _configure_tensorflow(threads: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def _grpc_server(settings: Settings, versions: "ModelVersions", tracer: Tracer | None) -> "grpc.Server":
    import grpc
    from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

    from endcap_model_server.model_service import ModelService
    from endcap_model_server.prediction_service import PredictionService
    from endcap_model_server.tracing import TracePredict

    server = grpc.server(
        ThreadPoolExecutor(REQUEST_THREADS, thread_name_prefix="request"),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            ("grpc.so_reuseport", 0),
        ],
        interceptors=(TracePredict(tracer),) if tracer is not None else (),
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(PredictionService(versions), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(versions), server)
    address = f"{settings.model_server.host}:{settings.model_server.port}"
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise DependencyUnavailable(
            "the address is in use", field="ENDCAP_MODEL_SERVER__PORT", value=address, fix="stop what listens there, or set another port"
        )
    return server
