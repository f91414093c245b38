"""A real MLflow server for tests, on loopback, ended with the block."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.waiting import until

START_SECONDS, STOP_SECONDS = 180, 60


@contextmanager
def running_mlflow(folder: Path, port: int) -> Iterator[str]:
    """The server's address; runs, models and artifacts lie in the folder."""
    places = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts")]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", *places]
    # Jobs are prompt optimisation and judges of language models: six processes that each load all of MLflow.
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "mlflow.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(server, f"http://127.0.0.1:{port}", folder / "mlflow.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait(server: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    def answers() -> bool:
        assert server.poll() is None, log.read_text()
        with suppress(httpx.HTTPError):
            return httpx.get(f"{address}/health", timeout=2).is_success
        return False

    try:
        until(answers, "MLflow answers", START_SECONDS)
    except AssertionError as late:
        raise AssertionError(f"{late}: {log.read_text()}") from late
