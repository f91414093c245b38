"""A collector alone, in a folder of its own on the disk of the home."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap.core.ports import free_port
from endcap_benchmarks.events.part_process import await_ready, end

START_SECONDS = 60.0
STOP_SECONDS = 20.0
LOOK_EVERY_SECONDS = 0.1
BEHIND_SECONDS_MAX = 60.0
WAITING = "endcap_collector_spool_waiting_events{"
NO_LIMIT = "1000000000"
"""Events a second of one key: what is measured is not the limit."""


@dataclass(frozen=True)
class RunningCollector:
    """Attributes:
    port: on 127.0.0.1.
    process: it.
    sends_to_kafka: whether it does.
    """

    port: int
    process: psutil.Process
    sends_to_kafka: bool = False

    def get(self, path: str) -> httpx.Response:
        """What it answers to a look."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5, trust_env=False, verify=False)  # noqa: S501 - no TLS

    def await_confirmed(self) -> None:
        """Wait until Kafka has all that was accepted.

        Raises:
            DependencyUnavailable: it does not get there.
        """
        if self.sends_to_kafka and not poll(lambda: self._waiting() == 0, every_s=LOOK_EVERY_SECONDS, within_s=BEHIND_SECONDS_MAX):
            raise DependencyUnavailable(
                "Kafka does not get all that was accepted", field="--kafka", fix="make the topics, or look at Kafka"
            )

    def _waiting(self) -> float:
        shown = self.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in shown if line.startswith(WAITING))


@contextmanager
def running_collector(parent: Path, prefix: Sequence[str] = (), kafka: str | None = None) -> Iterator[RunningCollector]:
    """Run one until the body is done; what it stored is removed.

    Args:
        parent: the folder that its own is made in.
        prefix: a command that runs it.
        kafka: host:port that it sends to; None for none.

    Raises:
        DependencyUnavailable: it did not come up.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="collector-", dir=parent) as home, (Path(home) / "collector.log").open("wb") as log:
        port = free_port()
        variables = {"ENDCAP_HOME": home, "ENDCAP_COLLECTOR__PORT": str(port), "ENDCAP_COLLECTOR__EVENTS_PER_SECOND": NO_LIMIT}
        if kafka is not None:
            variables["ENDCAP_EVENTS__KAFKA_BOOTSTRAP"] = kafka
        command = [*prefix, sys.executable, "-m", "endcap_collector"]
        process = subprocess.Popen(command, env=os.environ | variables | {"ENDCAP_COLLECTOR__BURST": NO_LIMIT}, stdout=log, stderr=log)
        try:
            collector = RunningCollector(port, psutil.Process(process.pid), kafka is not None)
            await_ready(process, port, Path(log.name), "the collector", START_SECONDS)
            yield collector
        finally:
            end(process, STOP_SECONDS)
