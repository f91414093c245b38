"""The stream on Spark as a process of its own, as `spark-submit` runs it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from endcap.core.ports import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[4]
APPLICATION = ROOT / "images" / "spark" / "stream_on_spark.py"
START_SECONDS = 300


class SparkStreamProcess:
    """`stream_on_spark.py` in a home folder, which holds its checkpoint and state too.

    Args:
        home: of the deployment.
        bootstrap: Kafka's host:port.
        jars: of Kafka's connector.
        arguments: further ones of the application.
    """

    def __init__(self, home: Path, bootstrap: str, jars: Path, *arguments: str, master: str = "local[2]") -> None:
        self._port = free_port()
        environment = {
            "ENDCAP_HOME": str(home),
            "ENDCAP_STREAM__PORT": str(self._port),
            "ENDCAP_EVENTS__KAFKA_BOOTSTRAP": bootstrap,
            "PYTHONPATH": os.pathsep.join(str(ROOT / each) for each in ("", "feature_repo", "services/stream")),
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "POLARS_MAX_THREADS": "1",
            "PYSPARK_SUBMIT_ARGS": " ".join(_options(home, jars, master)) + " pyspark-shell",
        }
        folders = ["--checkpoint", str(home / "stream-spark" / "checkpoint"), "--state", str(home / "stream-spark" / "state")]
        self._said = home.parent / f"stream-on-spark-{self._port}.log"
        with self._said.open("wb") as said:
            command = [sys.executable, str(APPLICATION), *folders, "--buckets", "2", "--trigger-seconds", "0.5", *arguments]
            self._process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said, start_new_session=True)
        until(self._answers, f"the stream did not come up, see {self._said}", START_SECONDS)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._said.read_text(errors="replace")[-3_000:]
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/readyz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def value(self, metric: str) -> float:
        """A metric without labels; NaN where the process shows none."""
        text = httpx.get(f"http://127.0.0.1:{self._port}/metrics", trust_env=False).text
        return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(f"{metric} ")), float("nan"))

    def kill(self) -> None:
        """End all of it at once: driver, Java and the workers."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)

    def end(self) -> int:
        """Ask it to end, and wait; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(120)


def _options(home: Path, jars: Path, master: str) -> list[str]:
    conf = {
        "spark.master": master,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.local.dir": str(home.parent / "spark-local"),
        "spark.sql.warehouse.dir": str(home.parent / "warehouse"),
        "spark.driver.memory": "1g",
        "spark.jars": ",".join(str(jar) for jar in sorted(jars.glob("*.jar"))),
    }
    return [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
