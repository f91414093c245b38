"""The in-process stream alone, reading Kafka."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endcap.core.ports import free_port
from endcap_benchmarks.events.part_process import await_ready, end

START_SECONDS = 60.0
STOP_SECONDS = 30.0


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
        await_ready(process, port, log, "the stream", START_SECONDS)
        yield process.pid
    finally:
        end(process, STOP_SECONDS)
