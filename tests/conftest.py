"""Which tests start processes, the order in which workers take them, and what all of them share."""

import multiprocessing.util
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings, Settings
from tests.artifacts_folder import FOLDER
from tests.kafka_broker.broker import KafkaBroker, running_broker
from tests.mlflow_database import migrated_once
from tests.properties import register_profiles
from tests.shared_milvus import kept_folder, milvus_until_killed, share_unpacked_milvus

STARTS_PROCESSES = ("milvus", "endpoint", "broker", "registry_server", "scene", "filled", "_helm")
"""Fixtures whose tests are marked `processes` here; others that start some mark themselves."""
MAY_START_PROCESSES = ("processes", "cluster", "faults")
"""Markers of what `make test-unit` leaves out."""
ONE_WORKER = {
    "tests/clients/javascript/": "browser",
    "tests/transformers/": "transformers",
    "tests/endcap/events/log/": "broker",
    "tests/endcap/events/stream/kafka/": "broker",
    "tests/services/collector/spool/": "broker",
    "tests/services/stream/kafka/": "broker",
    "tests/events_week/": "broker",
    "tests/endcap/features/store/": "features",
    "tests/services/rollout_operator/guardrails/": "guardrails",
    "tests/components/deploy_bundle/test_deploy_bundle.py": "milvus",
    "tests/endcap/cli/test_bundles.py": "milvus",
    "tests/endcap/cli/test_indexing.py": "milvus",
    "tests/endcap/doctor/test_addresses.py": "milvus",
    "tests/endcap/release/bundle/test_release.py": "milvus",
    "tests/endcap/release/index/test_collection.py": "milvus",
    "tests/endcap/release/index/test_local_server.py": "milvus",
    "tests/endcap/release/index/test_search.py": "milvus",
}
"""Folders and files that share something that takes long to start and stays: one worker takes them together, so that it is started once."""
PROCESS_EVENTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")


class ProcessGuard:
    """Fails an unmarked test that starts a process: `make test-unit` leaves out what is marked, and nothing else."""

    def __init__(self) -> None:
        self._unmarked: str | None = None
        sys.addaudithook(self._look)
        # The one start without an event: multiprocessing's, by spawn and by its fork server.
        spawn = multiprocessing.util.spawnv_passfds
        multiprocessing.util.spawnv_passfds = lambda *arguments: self._look("os.exec", arguments) or spawn(*arguments)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._unmarked = None if any(item.get_closest_marker(name) for name in MAY_START_PROCESSES) else item.nodeid
        try:
            return (yield)  # type: ignore[return-value]
        finally:
            self._unmarked = None

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._unmarked is not None and event in PROCESS_EVENTS:
            raise AssertionError(f"{self._unmarked} starts a process, {event} {str(arguments)[:200]}: mark it with pytest.mark.processes")


def pytest_make_parametrize_id(val: object) -> None:
    """Refuse a value that is of the moment: it names a test, and workers that collect other names end the run."""
    if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") and any(val[4:8]):
        raise pytest.UsageError("gzip has the present in it: compress with mtime=0")


def pytest_configure(config: pytest.Config) -> None:
    register_profiles()
    if FOLDER not in os.environ:
        shared = tempfile.TemporaryDirectory(prefix="endcap-test-artifacts-")
        os.environ[FOLDER] = shared.name
        config.add_cleanup(shared.cleanup)
        config.add_cleanup(lambda: os.environ.pop(FOLDER))
    platform.processor()  # starts `uname` once; libraries that ask later find the answer kept
    config.pluginmanager.register(ProcessGuard(), "process-guard")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Properties and what starts processes are marked, and the order is set: workers take file after file, the last ones should be short.

    First whole pipelines, then files that train or start processes, of these ONE_WORKER's last: what they start needs a core's time as long
    as it is there. A wrapper: `-m` reads the marker in a hook of the same name.
    """
    for item in items:
        if any(name in getattr(item, "fixturenames", ()) for name in STARTS_PROCESSES):
            item.add_marker(pytest.mark.processes)
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.properties)
    long = {item.path for item in items if any(item.get_closest_marker(name) for name in ("processes", "training"))}
    items.sort(
        key=lambda item: (item.get_closest_marker("pipeline") is None, item.path not in long, _taken_together(item.nodeid) is not None)
    )
    return (yield)


def _taken_together(nodeid: str) -> str | None:
    return next((name for place, name in ONE_WORKER.items() if nodeid.startswith(place)), None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _taken_together(nodeid) or super()._split_scope(nodeid)

    return ByFileOrFolder(config, log)


@pytest.fixture(scope="session")
def milvus_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("milvus-home")
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    return home


@pytest.fixture(scope="session")
def milvus(milvus_home: Path) -> Iterator[MilvusSettings]:
    """The settings of a local Milvus that runs until the last test."""
    with milvus_until_killed(Settings(home=milvus_home, milvus=MilvusSettings(port=free_port(), keep_collections=2))) as running:
        yield running


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A Kafka broker that runs until the last test; whoever stops it starts it again."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
def migrated_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow's databases are copies of one whose migrations have run."""
    with migrated_once(kept_folder(tmp_path_factory)):
        yield


@pytest.fixture(scope="session")
def quick_kfp() -> Iterator[None]:
    """kfp without the whole stack of its callers.

    For each option of each step it asks `inspect.stack()` for one function's name. With all tests loaded that costs seconds a pipeline:
    every frame is looked up among thousands of modules.
    """
    from kfp.dsl import pipeline_task

    def stack() -> list[tuple[None, None, None, str]]:
        """kfp reads the name of who called it as `[1][3]`."""
        asking, caller = sys._getframe(1), sys._getframe(2)
        return [(None, None, None, frame.f_code.co_name) for frame in (asking, caller)]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_task, "inspect", SimpleNamespace(stack=stack))
        yield
