"""The parts of a local deployment: how each is started, where it answers, and how one sees that it does."""

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import is_free
from endcap.core.settings import Settings
from endcap.features.store.config import repository_folder


@dataclass(frozen=True)
class Port:
    """A port a part listens on and the setting that moves it."""

    host: str
    number: int
    setting: str
    option: str


@dataclass(frozen=True)
class Part:
    """One supervised process.

    Attributes:
        name: as people read it.
        command: its arguments.
        ports: all must be free before it starts.
        address: shown when it is ready.
        is_ready: whether it answers; called again and again, quick, and never raises.
        environment: on top of the supervisor's.
    """

    name: str
    command: list[str]
    ports: list[Port]
    address: str
    is_ready: Callable[[], bool]
    environment: dict[str, str] = field(default_factory=dict)


def local_parts(settings: Settings, transformer_module: str = "endcap_transformer") -> list[Part]:
    """Milvus (unless another one is used), the model server and the transformer, in order of need."""
    parts = [_model_server(settings), _transformer(settings, transformer_module)]
    return [_milvus(settings), *parts] if settings.milvus.managed else parts


def event_parts(settings: Settings) -> list[Part]:
    """The collector and the stream. Serving goes on without them, so they are started again when they end."""
    return [_collector(settings), _stream(settings)]


def require_free_ports(parts: list[Part]) -> None:
    """Refuse to start beside something else.

    Raises:
        DependencyUnavailable: names the port that is in use and the setting that moves it.
    """
    for part in parts:
        for port in part.ports:
            if not is_free(port.number, port.host):
                raise DependencyUnavailable(
                    f"port {port.number} for {part.name} is in use",
                    field=port.setting,
                    fix=f"stop what listens there, or pass {port.option}",
                )


def settings_environment(settings: Settings) -> dict[str, str]:
    """The environment that gives a child process these settings."""
    return {
        "ENDCAP_HOME": str(Path(settings.home).absolute()),
        "ENDCAP_FEATURE_REPO_DIR": str(repository_folder(settings).absolute()),
        "ENDCAP_SERVING__HTTP_PORT": str(settings.serving.http_port),
        "ENDCAP_SERVING__GRPC_PORT": str(settings.serving.grpc_port),
        "ENDCAP_MODEL_SERVER__PORT": str(settings.model_server.port),
        "ENDCAP_MILVUS__PORT": str(settings.milvus.port),
        "ENDCAP_COLLECTOR__PORT": str(settings.collector.port),
        "ENDCAP_STREAM__PORT": str(settings.stream.port),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": os.environ.get("PYTHONWARNINGS", "ignore"),
        "TF_USE_LEGACY_KERAS": "1",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }


def _milvus(settings: Settings) -> Part:
    port = Port("127.0.0.1", settings.milvus.port, "ENDCAP_MILVUS__PORT", "--milvus-port")
    return Part(
        name="milvus",
        command=[sys.executable, "-m", "endcap.release.index.local_server"],
        ports=[port],
        address=f"127.0.0.1:{port.number}",
        is_ready=lambda: _answers(port),
        environment=settings_environment(settings),
    )


def _model_server(settings: Settings) -> Part:
    host = settings.model_server.host
    port = Port(host, settings.model_server.port, "ENDCAP_MODEL_SERVER__PORT", "--model-port")
    return Part(
        name="model server",
        command=[sys.executable, "-m", "endcap_model_server"],
        ports=[port],
        address=f"{host}:{port.number} (TensorFlow Serving gRPC)",
        is_ready=lambda: _answers(port),
        environment=settings_environment(settings),
    )


def _restarted(name: str, command: Sequence[str], port: Port, settings: Settings, more: Mapping[str, str] | None = None) -> Part:
    return Part(
        name=name,
        command=[sys.executable, "-m", "endcap_local.restarting", name, *command],
        ports=[port],
        address=f"http://{port.host}:{port.number}",
        is_ready=lambda: _is_http_ready(port, "/readyz"),
        environment={**settings_environment(settings), **(more or {})},
    )


def _collector(settings: Settings) -> Part:
    port = Port(settings.collector.host, settings.collector.port, "ENDCAP_COLLECTOR__PORT", "--collector-port")
    return _restarted("collector", [sys.executable, "-m", "endcap_collector"], port, settings)


def _stream(settings: Settings) -> Part:
    """It has two seconds where a request has 50 ms, so it stands behind. A step is of a hundred events: to wake more threads for it costs
    more than they bring."""
    port = Port(settings.stream.host, settings.stream.port, "ENDCAP_STREAM__PORT", "--stream-port")
    one_thread = {"POLARS_MAX_THREADS": os.environ.get("POLARS_MAX_THREADS", "1")}
    command = [sys.executable, "-m", "endcap_local.background", sys.executable, "-m", "endcap_stream"]
    return _restarted("stream", command, port, settings, one_thread)


def _transformer(settings: Settings, module: str) -> Part:
    serving = settings.serving
    http = Port(serving.host, serving.http_port, "ENDCAP_SERVING__HTTP_PORT", "--http-port")
    grpc = Port(serving.host, serving.grpc_port, "ENDCAP_SERVING__GRPC_PORT", "--grpc-port")
    return Part(
        name="transformer",
        command=[sys.executable, "-m", module],
        ports=[http, grpc],
        address=f"http://{serving.host}:{http.number} and gRPC {serving.host}:{grpc.number}",
        is_ready=lambda: _is_http_ready(http),
        environment=settings_environment(settings),
    )


def _answers(port: Port) -> bool:
    try:
        with socket.create_connection((port.host, port.number), timeout=0.5):
            return True
    except OSError:
        return False


def _is_http_ready(port: Port, path: str = "/v2/health/ready") -> bool:
    import httpx

    try:
        answer = httpx.get(f"http://{port.host}:{port.number}{path}", timeout=0.5, trust_env=False, verify=False)  # noqa: S501
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK
