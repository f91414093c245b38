"""The real processes around a home, on free ports of 127.0.0.1, for as long as a context lasts."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_ports

START_TIMEOUT_SECONDS = 300.0
STOP_TIMEOUT_SECONDS = 60.0
COLLECTOR_PORT, STREAM_PORT = "ENDCAP_COLLECTOR__PORT", "ENDCAP_STREAM__PORT"
PORTS = (
    *("ENDCAP_SERVING__HTTP_PORT", "ENDCAP_SERVING__GRPC_PORT", "ENDCAP_MODEL_SERVER__PORT", "ENDCAP_MILVUS__PORT"),
    *(COLLECTOR_PORT, STREAM_PORT),
)
SUPERVISE = (sys.executable, "-m", "endcap_benchmarks.serving.supervise")
LOG_END_CHARACTERS = 1_500

_MODULES = {
    "transformer": "transformer",
    "model server": "endcap_model_server",
    "collector": "endcap_collector",
    "stream": "endcap_stream",
}
_WATCHDOG = "endcap_local.parent_watchdog"
_MILVUS = "milvus"


@dataclass(frozen=True)
class RunningParts:
    """Where the parts answer and which processes they are.

    Attributes:
        http_port, grpc_port: of the transformer.
        ports: every port by its environment variable.
        home: `ENDCAP_HOME` of all parts.
        supervisor_pid: parent of all parts.
        start_seconds: from the command until all parts answered.
        ready_s: seconds by part, counted in the supervisor.
    """

    http_port: int
    grpc_port: int
    ports: Mapping[str, int]
    home: Path
    supervisor_pid: int
    start_seconds: float
    ready_s: Mapping[str, float]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def processes(self) -> dict[str, psutil.Process]:
        """The working processes by part: not the watchdogs, and of Milvus the server itself."""
        below = psutil.Process(self.supervisor_pid).children(recursive=True)
        found = {part: [each for each in below if _runs(each, module)] for part, module in _MODULES.items()}
        found[_MILVUS] = [each for each in below if each.name() == _MILVUS]
        return {part: each[0] for part, each in found.items() if each}


@contextmanager
def running_parts(
    home: Path, command: Sequence[str] = SUPERVISE, environment: Mapping[str, str] | None = None, *, hasty: bool = False
) -> Iterator[RunningParts]:
    """Run a command that prints one JSON line with `pid` (and `ready_s`) when its parts answer, until the body is done.

    Args:
        home: `ENDCAP_HOME`.
        command: starts the parts; by default those of the home's promoted bundle.
        environment: on top of this process's and of the ports.
        hasty: kill Milvus instead of asking it to stop, which takes ten seconds; for homes that are thrown away.

    Raises:
        DependencyUnavailable: they did not come up; the message has the end of their logs.
    """
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    variables = {**os.environ, "ENDCAP_HOME": str(home), **{name: str(port) for name, port in ports.items()}, **(environment or {})}
    home.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (home / "supervisor.log").open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=errors, start_new_session=True)
        try:
            ready = _first_line(process, home)
            yield RunningParts(
                http_port=ports[PORTS[0]],
                grpc_port=ports[PORTS[1]],
                ports=ports,
                home=home,
                supervisor_pid=ready["pid"],
                start_seconds=time.monotonic() - started,
                ready_s=ready.get("ready_s", {}),
            )
        finally:
            _stop(process, hasty=hasty)


def _first_line(process: "subprocess.Popen[bytes]", home: Path) -> dict:  # type: ignore[type-arg]
    watchdog = threading.Timer(START_TIMEOUT_SECONDS, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
    finally:
        watchdog.cancel()
    if not line:
        raise DependencyUnavailable(f"the parts did not come up:\n{_log_ends(home)}", field=str(home), fix="see their logs")
    return dict(json.loads(line))


def _log_ends(home: Path) -> str:
    logs = [home / "supervisor.log", *sorted(home.glob("logs/*.log"))]
    return "\n".join(f"{path.name}:\n{path.read_text(errors='replace')[-LOG_END_CHARACTERS:]}" for path in logs if path.is_file())


def _stop(process: "subprocess.Popen[bytes]", *, hasty: bool) -> None:
    if process.poll() is None:
        if hasty:
            for each in psutil.Process(process.pid).children(recursive=True):
                if each.name() == _MILVUS:
                    each.kill()
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return _WATCHDOG not in command and "-m" in command and module in command[command.index("-m") + 1]
