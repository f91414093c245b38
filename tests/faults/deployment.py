"""The real parts around a made home, each of which may be killed and started again while the others go on."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from endcap.core.ports import free_ports
from endcap.core.settings import MilvusSettings, ModelServerSettings, ServingSettings, Settings
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.tables import read_tables
from endcap.release.index.collection import build_collection, collection_name
from endcap.release.index.connection import answers, connect
from endcap.release.index.milvus_program import unpack_program
from endcap_local.parts import local_parts, settings_environment
from tests.faults.made_home import FIRST
from tests.faults.process import PartProcess
from tests.waiting import until

BUDGET_MS = 2_000
STAGE_MS = 800
"""Many times the real ones: on a busy machine a stage must be late because of the fault, and of nothing else."""
ENVIRONMENT = {
    "ENDCAP_SERVING__REQUEST_BUDGET_MS": str(BUDGET_MS),
    "ENDCAP_SERVING__FEATURES_TIMEOUT_MS": str(STAGE_MS),
    "ENDCAP_SERVING__RETRIEVAL_TIMEOUT_MS": str(STAGE_MS),
    "ENDCAP_SERVING__RANK_TIMEOUT_MS": str(STAGE_MS),
    "ENDCAP_RESILIENCE__BREAKER_OPEN_SECONDS": "0.5",
    "ENDCAP_RESILIENCE__UNREADY_SECONDS": "1.5",
    "ENDCAP_LOG_FORMAT": "json",
    "OMP_NUM_THREADS": "1",
}
TRANSFORMER = "tests.faults.faulty_transformer"


class Deployment:
    """Milvus, model server and transformer.

    Args:
        home: `ENDCAP_HOME`, made before.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.http_port, self.grpc_port, self.model_port, milvus_port = free_ports(4)
        self.settings = Settings(
            home=home,
            serving=ServingSettings(http_port=self.http_port, grpc_port=self.grpc_port),
            model_server=ModelServerSettings(port=self.model_port),
            milvus=MilvusSettings(port=milvus_port),
        )
        self._fresh = itertools.count(1)
        """Items whose pages nobody asked for: their queries are kept nowhere."""
        self._client = httpx.Client(base_url=self.url, timeout=10, limits=httpx.Limits(max_keepalive_connections=0))
        milvus, model_server, transformer = local_parts(self.settings, TRANSFORMER)
        self.milvus = PartProcess(milvus, home / "logs", working="milvus")
        self.model_server = PartProcess(model_server, home / "logs")
        self.transformer = PartProcess(transformer, home / "logs")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def start(self) -> None:
        """Make the home while Milvus starts, then the rest."""
        self.milvus.start()
        making = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.made_home"],
            env=os.environ | settings_environment(self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        written, _ = making.communicate(timeout=300)
        assert making.returncode == 0, written.decode()[-3000:]
        self.model_server.start()
        self.milvus.wait_until_ready()
        self.build_collection(1, model_base_path(self.settings.served_dir) / "1")
        self.model_server.wait_until_ready()
        self.start_transformer()

    def start_transformer(self, **environment: str) -> None:
        self.transformer.start(**ENVIRONMENT, **environment)
        self.transformer.wait_until_ready()

    def build_collection(self, version: int, bundle: Path) -> None:
        until(self._milvus_answers, "Milvus did not answer", 120)
        client, name = connect(self.settings.milvus), collection_name(self.settings.milvus.collection_prefix, version)
        try:
            if not client.has_collection(name):
                build_collection(client, read_tables(bundle), name, self.settings.milvus)
        finally:
            client.close()

    def end(self) -> None:
        self._client.close()
        for part in (self.transformer, self.model_server, self.milvus):
            part.end()

    def predict(self, *instances: dict[str, Any]) -> list[dict[str, Any]]:
        """Answers, as a client gets them who comes again when it is told to."""
        response = self._client.post("/v1/models/endcap:predict", json={"instances": list(instances)})
        if response.status_code == 429:
            time.sleep(float(response.headers["retry-after"]))
            return self.predict(*instances)
        assert response.status_code == 200, response.text
        answers: list[dict[str, Any]] = response.json()["predictions"]
        return answers

    def metric(self, name: str, **labels: str) -> float:
        """The value of one sample, 0 when there is none."""
        page = self._client.get("/metrics").text
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return 0.0

    def is_ready(self) -> bool:
        try:
            return self._client.get("/v2/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def wait_until_sound(self) -> None:
        """Return when everything takes part in answers."""

        def is_sound() -> bool:
            page = {"user_id": "U4", "surface": "product", "item_ids": [f"I{next(self._fresh) % FIRST.items:06d}"]}
            return not any(answer["degraded"] for answer in self.predict({"user_id": "U3"}, page))

        until(is_sound, "some stage stays away", 60)

    def _milvus_answers(self) -> bool:
        return answers(self.settings.milvus, timeout_s=5.0)


@contextmanager
def running_deployment(home: Path, shared: Path) -> Iterator[Deployment]:
    """A deployment for as long as the body lasts; `shared` keeps Milvus's unpacked program."""
    unpack_program(shared / "milvus-bin")
    (home / "milvus").mkdir()
    (home / "milvus" / "bin").symlink_to(shared / "milvus-bin")
    deployment = Deployment(home)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.end()
