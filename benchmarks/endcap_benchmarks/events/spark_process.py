"""The stream on Spark as a process of its own, as `spark-submit` runs it, on this machine's cores."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from endcap.core.ports import free_port
from endcap_benchmarks.events.part_process import await_ready

ROOT = Path(__file__).parents[3]
APPLICATION = ROOT / "images" / "spark" / "stream_on_spark.py"
START_SECONDS = 300
STOP_SECONDS = 120


class SparkStream:
    """`stream_on_spark.py` beside a home folder.

    Args:
        python: with pyspark and what the stream needs.
        home: of the deployment.
        folder: of checkpoint, state, logs and Spark's own files.
        bootstrap: Kafka's host:port.
        jars: of Kafka's connector.
        arguments: further ones of the application.
        master: Spark's.
        port: of its endpoints, on 127.0.0.1; None for a free one.

    Attributes:
        port: of its endpoints.
        pid: of the driver, which all its other processes are below.
    """

    def __init__(  # noqa: PLR0917 - where everything is
        self,
        python: str,
        home: Path,
        folder: Path,
        bootstrap: str,
        jars: Path,
        arguments: Sequence[str] = (),
        *,
        master: str = "local[2]",
        port: int | None = None,
    ) -> None:
        self.port = free_port() if port is None else port
        environment = {
            "ENDCAP_HOME": str(home),
            "ENDCAP_STREAM__PORT": str(self.port),
            "ENDCAP_EVENTS__KAFKA_BOOTSTRAP": bootstrap,
            "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("", "feature_repo", "services/stream")),
            "PYSPARK_PYTHON": python,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "POLARS_MAX_THREADS": "1",
            "PYSPARK_SUBMIT_ARGS": " ".join(_options(folder, jars, master)) + " pyspark-shell",
        }
        folders = ["--checkpoint", str(folder / "checkpoint"), "--state", str(folder / "state")]
        folder.mkdir(parents=True, exist_ok=True)
        self._said = folder / f"said-{self.port}.log"
        with self._said.open("wb") as said:
            command = [python, str(APPLICATION), *folders, *arguments]
            self._process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said, start_new_session=True)
        self.pid = self._process.pid

    def await_ready(self) -> None:
        """Wait until a batch was done.

        Raises:
            DependencyUnavailable: it ended, or no batch was done.
        """
        await_ready(self._process, self.port, self._said, "the stream on Spark", START_SECONDS)

    def values(self) -> Mapping[str, float]:
        """Its metrics, by name and labels as they are shown."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", trust_env=False).text
        lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    def kill(self) -> None:
        """End all of it at once: driver, Java and the workers."""
        # Workers are a group of their own, and write until they see that Java is gone.
        below = psutil.Process(self.pid).children(recursive=True)
        os.killpg(self.pid, signal.SIGKILL)
        for each in below:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait(STOP_SECONDS)
        psutil.wait_procs(below, STOP_SECONDS)

    def end(self) -> int:
        """Ask it to end, and wait; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def close(self) -> None:
        """End what is still there of it."""
        if self._process.poll() is None:
            self.kill()


def _options(folder: Path, jars: Path, master: str) -> list[str]:
    conf = {
        "spark.master": master,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.memory": "1g",
        "spark.jars": ",".join(str(jar) for jar in sorted(jars.glob("*.jar"))),
    }
    return [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
