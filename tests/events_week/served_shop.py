"""A trained bundle, and all that serves it and follows events: `endcap serve` over Kafka and Redis, started as a user does."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from endcap.core.ports import free_ports
from endcap.features.store.config import CONFIG_NAME, REPOSITORY_PACKAGE
from tests.events_week.sending import body_of
from tests.serving_environment import SERVING_PORTS, UNHURRIED
from tests.shared_milvus import kill_milvus_of
from tests.waiting import until

ROOT = Path(__file__).parents[2]
HOUSEHOLDS = 60
START_SECONDS = 300


def repository_on_redis(folder: Path) -> Path:
    """The feature repository, whose online store is the Redis that FEAST_REDIS names."""
    repository = Path(shutil.copytree(ROOT / "feature_repo" / REPOSITORY_PACKAGE, folder / REPOSITORY_PACKAGE))
    config = yaml.safe_load((repository / CONFIG_NAME).read_text())
    config["online_store"] = {"type": "redis", "connection_string": "${FEAST_REDIS}"}
    (repository / CONFIG_NAME).write_text(yaml.safe_dump(config))
    return repository


def serving_environment(home: Path, repository: Path, redis_port: int, kafka: Mapping[str, str]) -> dict[str, str]:
    """Of every command of this shop."""
    ports = {name: str(port) for name, port in zip(SERVING_PORTS, free_ports(len(SERVING_PORTS)), strict=True)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    where = {"ENDCAP_HOME": str(home), "ENDCAP_FEATURE_REPO_DIR": str(repository), "FEAST_REDIS": f"127.0.0.1:{redis_port}"}
    return {**os.environ, "PATH": path, **where, **ports, **UNHURRIED, **kafka}


def trained(environment: Mapping[str, str]) -> None:
    """Some households' year becomes a bundle that is deployed."""
    for command in (f"endcap import complete-journey --sample-households {HOUSEHOLDS}", "endcap pipeline run --epochs 1"):
        done = subprocess.run(command.split(), env=dict(environment), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"


@dataclass(frozen=True, slots=True)
class ServedShop:
    """Attributes:
    home: `ENDCAP_HOME`.
    pid: of `endcap serve`.
    predict, collector: clients with the address as base.
    """

    home: Path
    pid: int
    predict: httpx.Client
    collector: httpx.Client

    def list_of(self, **instance: Any) -> dict[str, Any]:
        """The home page's list of ten, unless the instance says otherwise."""
        answer = self.predict.post("/v1/models/endcap:predict", json={"instances": [{"k": 10, "surface": "home", **instance}]})
        assert answer.status_code == httpx.codes.OK, answer.text
        prediction: dict[str, Any] = answer.json()["predictions"][0]
        return prediction

    def send(self, *events: dict[str, Any]) -> None:
        """All of them are new."""
        answer = self.collector.post("/v1/events", content=body_of(events), headers={"content-type": "application/json"})
        assert answer.json() == {"accepted": len(events), "duplicates": 0, "refused": []}, answer.text

    def kill(self, module: str) -> None:
        """End a part at once; `endcap serve` starts collector and stream again."""
        below = psutil.Process(self.pid).children(recursive=True)
        (part,) = (each for each in below if _runs(each, module))
        part.kill()

    def takes_events(self) -> bool:
        """Whether the collector is there."""
        with suppress(httpx.HTTPError):
            return self.collector.get("/readyz").is_success
        return False


def _runs(process: psutil.Process, module: str) -> bool:
    """Whether it is the module itself, and not what starts it again."""
    with suppress(psutil.Error):
        return process.cmdline()[1:3] == ["-m", module]
    return False


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[ServedShop]:
    """`endcap serve` while the block runs."""
    predict, collector = (
        httpx.Client(base_url=f"http://127.0.0.1:{environment[name]}", timeout=30, trust_env=False)
        for name in ("ENDCAP_SERVING__HTTP_PORT", "ENDCAP_COLLECTOR__PORT")
    )
    stream = f"http://127.0.0.1:{environment['ENDCAP_STREAM__PORT']}/readyz"
    home = Path(environment["ENDCAP_HOME"])
    with (home / "serve.log").open("wb") as said:
        server = subprocess.Popen(["endcap", "serve"], env=dict(environment), stdout=said, stderr=said, start_new_session=True)

    def is_ready() -> bool:
        assert server.poll() is None, (home / "serve.log").read_text(errors="replace")[-3_000:]
        with suppress(httpx.HTTPError):
            return all(found.is_success for found in (predict.get("/v2/health/ready"), collector.get("/readyz"), predict.get(stream)))
        return False

    try:
        with predict, collector:
            until(is_ready, "`endcap serve` is ready", START_SECONDS)
            yield ServedShop(home, server.pid, predict, collector)
    finally:
        kill_milvus_of(server.pid)
        server.send_signal(signal.SIGINT)
        server.wait(timeout=START_SECONDS)
