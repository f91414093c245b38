"""The in-process stream alone, reading Kafka."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap.core.ports import free_port
from endcap_benchmarks.events.ending import end

START_SECONDS = 60.0
STOP_SECONDS = 30.0
_LOOK_EVERY_SECONDS = 0.1


@contextmanager
def running_stream(home: Path, bootstrap: str) -> Iterator[int]:
    """Run it until the body is done; its process id.

    Args:
        home: of the deployment.
        bootstrap: Kafka's host:port.

    Raises:
        DependencyUnavailable: it did not come up.
    """
    port, log = free_port(), home / "stream.log"
    variables = {"ENDCAP_HOME": str(home), "ENDCAP_STREAM__PORT": str(port), "ENDCAP_EVENTS__KAFKA_BOOTSTRAP": bootstrap}
    with log.open("wb") as said:
        process = subprocess.Popen([sys.executable, "-m", "endcap_stream"], env=os.environ | variables, stdout=said, stderr=said)
    try:
        poll(lambda: process.poll() is not None or _answers(port), every_s=_LOOK_EVERY_SECONDS, within_s=START_SECONDS)
        if process.poll() is not None or not _answers(port):
            raise DependencyUnavailable(f"the stream did not come up:\n{log.read_text(errors='replace')[-1_000:]}", field=str(log))
        yield process.pid
    finally:
        end(process, STOP_SECONDS)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success
    except httpx.HTTPError:
        return False
