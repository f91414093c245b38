"""The parts the demo runs: the same commands a person would type, and a server that is gone when the demo is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from endcap.contracts.answer import Answer
from endcap.core.errors import DependencyUnavailable, EndcapError
from endcap.core.polling import poll
from endcap.core.ports import free_port, is_free
from endcap.core.settings import Settings

READY_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30


class CommandFailed(EndcapError):
    """A command of the demo ended with an error that it has already printed."""


def run_command(arguments: Sequence[str]) -> Any:
    """Run one `endcap` command with its progress on the terminal, and give the JSON document it prints.

    Raises:
        CommandFailed: it ended with another exit code than 0.
    """
    done = subprocess.run([sys.executable, "-m", "endcap", *arguments, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise CommandFailed(f"`endcap {' '.join(arguments)}` ended with exit code {done.returncode}", fix="see its message above")
    return json.loads(done.stdout)


@dataclass(frozen=True)
class RunningServer:
    """What `endcap serve` answers at.

    Attributes:
        predict: asks for lists.
        collector: takes events, at its address as base.
    """

    predict: "PredictClient"
    collector: httpx.Client


@contextmanager
def running_server(settings: Settings, rules_file: Path) -> Iterator[RunningServer]:
    """`endcap serve` beside a Milvus that runs, for as long as the context lasts; on the configured ports where they are free.

    Args:
        settings: all settings.
        rules_file: the rules that hold, unless the settings name others or there are some under `home`.
    """
    ports = {
        "ENDCAP_SERVING__HTTP_PORT": preferred_port(settings.serving.http_port),
        "ENDCAP_SERVING__GRPC_PORT": preferred_port(settings.serving.grpc_port),
        "ENDCAP_MODEL_SERVER__PORT": preferred_port(settings.model_server.port),
        "ENDCAP_COLLECTOR__PORT": preferred_port(settings.collector.port),
        "ENDCAP_STREAM__PORT": preferred_port(settings.stream.port),
    }
    environment = {"ENDCAP_SERVING__RULES_FILE": str(rules_of(settings, rules_file))}
    environment |= os.environ | {name: str(port) for name, port in ports.items()} | {"ENDCAP_MILVUS__MANAGED": "false"}
    log_file = settings.home / "logs" / "demo-serve.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "endcap", "serve"], env=environment, stdout=log, stderr=log, start_new_session=True
        )
    client = PredictClient(f"http://{settings.serving.host}:{ports['ENDCAP_SERVING__HTTP_PORT']}", settings.serving.model_name)
    collector = _at(settings.collector.host, ports["ENDCAP_COLLECTOR__PORT"])
    stream = _at(settings.stream.host, ports["ENDCAP_STREAM__PORT"])
    try:
        _wait_until_ready(server, {"predict": client.is_ready, "collector": _ready(collector), "stream": _ready(stream)}, log_file)
        yield RunningServer(client, collector)
    finally:
        for connected in (client, collector, stream):
            connected.close()
        server.send_signal(signal.SIGINT)
        try:
            server.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def demo_rules() -> Path:
    """The rules of the demo's shop."""
    return Path(__file__).with_name("rules.yaml")


def rules_of(settings: Settings, otherwise: Path) -> Path:
    """The rules file in force, or another one when there is none."""
    return settings.rules_file if settings.rules_file.is_file() else otherwise


def preferred_port(preferred: int) -> int:
    """The preferred port when nothing listens there on loopback, else one the system picks."""
    return preferred if is_free(preferred) else free_port()


class PredictClient:
    """Asks the predict endpoint, V1 over HTTP, on one kept connection."""

    def __init__(self, url: str, model_name: str) -> None:
        self.url = url
        self._path = f"/v1/models/{model_name}:predict"
        self._http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def ask(self, instance: Mapping[str, Any]) -> Answer:
        """Send one instance.

        Raises:
            DependencyUnavailable: nobody answered, or the answer was not 200.
        """
        try:
            response = self._http.post(self._path, json={"instances": [instance]})
        except httpx.HTTPError as error:
            raise DependencyUnavailable(f"no answer ({error})", field=self.url, fix="see the logs of `endcap serve`") from error
        if response.status_code != httpx.codes.OK:
            raise DependencyUnavailable(f"answered {response.status_code}", field=self.url, value=response.text)
        return Answer.model_validate(response.json()["predictions"][0])

    def is_ready(self) -> bool:
        try:
            return self._http.get("/v2/health/ready").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        self._http.close()


def _at(host: str, port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://{host}:{port}", timeout=10, trust_env=False)


def _ready(part: httpx.Client) -> Callable[[], bool]:
    def is_ready() -> bool:
        try:
            return part.get("/readyz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    return is_ready


def _wait_until_ready(server: "subprocess.Popen[bytes]", parts: Mapping[str, Callable[[], bool]], log_file: Path) -> None:
    waiting = dict(parts)

    def ready() -> bool:
        if server.poll() is not None:
            raise DependencyUnavailable(f"`endcap serve` ended with exit code {server.returncode}", fix=f"see {log_file}")
        for name in [name for name, is_ready in waiting.items() if is_ready()]:
            del waiting[name]
        return not waiting

    if not poll(ready, every_s=0.25, within_s=READY_TIMEOUT_S):
        raise DependencyUnavailable(f"`endcap serve` was not ready within {READY_TIMEOUT_S} s: {', '.join(waiting)}", fix=f"see {log_file}")
