"""The rollout operator as a process of its own, with nothing but its ServiceAccount's token."""

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.cluster.cluster import Cluster
from tests.waiting import until

ACCOUNT = "endcap-rollout-operator"
TOKEN_SECONDS = 3_600
START_S = 60.0


class OperatorProcess:
    """Can be started again after it was stopped or killed; its log is kept.

    Args:
        environment: its settings.
        health: address that says whether it is well.
        log: file.
    """

    def __init__(self, environment: dict[str, str], health: str, log: Path) -> None:
        self._environment = environment
        self._health = health
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "endcap_rollout_operator"]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        until(self.is_well, f"the operator's health; see {self._log}", START_S)

    def is_well(self) -> bool:
        assert self._process is not None and self._process.poll() is None, f"the operator ended: {self.log[-3000:]}"
        try:
            return httpx.get(self._health, timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """As when its node is lost."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As when its pod gets SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(number)
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def account_kubeconfig(cluster: Cluster, core: Any, namespace: str, file: Path) -> Path:
    """A kubeconfig of the operator's ServiceAccount in a namespace."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": TOKEN_SECONDS}}
    token = core.create_namespaced_service_account_token(ACCOUNT, namespace, request).status.token
    admin = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    current = next(each["context"] for each in admin["contexts"] if each["name"] == admin["current-context"])
    server = next(each["cluster"] for each in admin["clusters"] if each["name"] == current["cluster"])
    if "certificate-authority" in server:
        authority = (cluster.kubeconfig.parent / server.pop("certificate-authority")).read_bytes()
        server["certificate-authority-data"] = base64.b64encode(authority).decode()
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": server}],
        "users": [{"name": ACCOUNT, "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": ACCOUNT, "namespace": namespace}}],
        "current-context": "tests",
    }
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    file.chmod(0o600)
    return file


def clean_environment() -> dict[str, str]:
    """This process's environment without settings of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ENDCAP_", "KUBE", "MLFLOW_"))}
