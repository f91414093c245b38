"""A synthetic bundle in memory, and the real processes around one, started once."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import psutil
import pytest
import yaml

from endcap.contracts.bundle import BundleManifest
from endcap.core.polling import poll
from endcap.core.ports import free_ports
from endcap.core.settings import Settings
from endcap.engine.surfaces.surface import load_surfaces
from endcap.release.bundle.manifest import Bundle, present_feature_columns, seal_bundle
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.tables import write_tables
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_feature_row, make_items, make_tables, manifest_fields
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from tests.otlp_collector import Collector, running_collector
from tests.shared_milvus import kept_folder, kill_milvus_of, share_unpacked_milvus

SIZE = SyntheticSize(items=300, dim=8, neighbours=10)
START_TIMEOUT_S = 180
WARM_WITHIN_S = 60


@pytest.fixture(scope="session")
def served() -> ServedBundle:
    manifest = BundleManifest(features=present_feature_columns(), files={}, **manifest_fields(1, "endcap_1", SIZE))
    return served_from(manifest, make_tables(SIZE), Settings(replay_at=manifest.data_end))


@pytest.fixture
def promoted(tmp_path: Path) -> Callable[[int], Bundle]:
    """Puts a sealed bundle where servers look for it; its SavedModel is a few bytes, since nothing here loads it."""

    def promote(version: int) -> Bundle:
        folder = model_base_path(Settings(home=tmp_path).served_dir) / str(version)
        (folder / "variables").mkdir(parents=True)
        (folder / "saved_model.pb").write_bytes(b"model")
        (folder / "variables" / "variables.index").write_bytes(b"index")
        write_tables(folder, make_tables(SIZE), make_items(SIZE))
        return seal_bundle(folder, **manifest_fields(version, f"endcap_{version}", SIZE))

    return promote


@pytest.fixture(scope="session")
def feature_row() -> dict:
    return make_feature_row("U1", SIZE, pairs=60)


@dataclass(frozen=True)
class Endpoint:
    """The running parts."""

    http: str
    grpc: str
    home: Path
    supervisor_pid: int
    collector: Collector

    def process(self, module: str) -> psutil.Process:
        """The process that runs a Python module, not its watchdog."""
        below = psutil.Process(self.supervisor_pid).children(recursive=True)
        return next(each for each in below if module in each.cmdline() and "endcap_local.parent_watchdog" not in each.cmdline())

    def predict(self, *instances: dict, **headers: str) -> list[dict]:
        response = httpx.post(f"{self.http}/v1/models/endcap:predict", json={"instances": list(instances)}, headers=headers, timeout=30)
        assert response.status_code == 200, response.text
        return response.json()["predictions"]

    def wait_until_warm(self) -> None:
        """Return when every stage takes part in an answer: the first call of each may miss its deadline, and a circuit may be open."""
        numbers = count(1000)

        def degraded() -> list[str]:
            return self.predict({"user_id": f"U{next(numbers)}"})[0]["degraded"]

        stages = poll(degraded, every_s=0.2, within_s=WARM_WITHIN_S, is_there=lambda found: not found)
        assert not stages, f"some stage stays away: {stages}"


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Takes the traces of requests whose callers sample them."""
    with running_collector() as collector:
        yield collector


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Endpoint]:
    home = tmp_path_factory.mktemp("serving")
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    http_port, grpc_port, model_port, milvus_port = free_ports(4)
    environment = os.environ | {
        "ENDCAP_HOME": str(home),
        "ENDCAP_SERVING__HTTP_PORT": str(http_port),
        "ENDCAP_SERVING__GRPC_PORT": str(grpc_port),
        "ENDCAP_MODEL_SERVER__PORT": str(model_port),
        "ENDCAP_MILVUS__PORT": str(milvus_port),
        "ENDCAP_SERVING__REQUEST_BUDGET_MS": "8000",
        "ENDCAP_SERVING__FEATURES_TIMEOUT_MS": "2000",
        "ENDCAP_SERVING__RETRIEVAL_TIMEOUT_MS": "2000",
        "ENDCAP_SERVING__RANK_TIMEOUT_MS": "2000",
        "ENDCAP_SERVING__SURFACES_FILE": str(write_surfaces_without_exploration(home / "surfaces.yaml")),
        "ENDCAP_LOG_FORMAT": "json",
        "ENDCAP_TELEMETRY__OTLP_ENDPOINT": collector.endpoint,
        "ENDCAP_TELEMETRY__TRACE_SHARE": "0",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OMP_NUM_THREADS": "1",
        "TF_USE_LEGACY_KERAS": "1",
    }
    errors = (home / "supervisor.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "endcap_benchmarks.synthetic.serve", "--items", "2000"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=errors,
        start_new_session=True,
    )
    watchdog = threading.Timer(START_TIMEOUT_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline() if process.stdout else b""
        watchdog.cancel()
        assert line, _why(home)
        ready = json.loads(line)
        running = Endpoint(f"http://127.0.0.1:{http_port}", f"127.0.0.1:{grpc_port}", home, ready["pid"], collector)
        running.wait_until_warm()
        yield running
    finally:
        watchdog.cancel()
        kill_milvus_of(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
        errors.close()


def write_surfaces_without_exploration(path: Path) -> Path:
    """The surfaces endcap ships with; the same request gets the same list."""
    surfaces = load_surfaces().model_dump(exclude_none=True)
    for surface in surfaces["surfaces"].values():
        surface["exploration"]["share"] = 0
    path.write_text(yaml.safe_dump(surfaces))
    return path


def _why(home: Path) -> str:
    return "\n".join(f"{path.name}:\n{path.read_text()[-1500:]}" for path in [home / "supervisor.log", *home.glob("logs/*.log")])
