"""Which tests start processes, the order in which workers take them, and what all of them share."""

import inspect
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
from endcap.release.index.local_server import running_milvus
from tests.artifacts_folder import FOLDER
from tests.mlflow_database import migrated_once
from tests.shared_milvus import kept_folder, share_unpacked_milvus

STARTS_PROCESSES = ("milvus", "endpoint", "broker", "scene", "filled", "_helm")
"""Fixtures whose tests are marked `processes` here; others that start some mark themselves."""
MAY_START_PROCESSES = ("processes", "cluster", "faults")
"""Markers of what `make test-unit` leaves out."""
ONE_WORKER = (
    "tests/transformers/",
    "tests/endcap/events/log/",
    "tests/endcap/features/store/",
    "tests/services/rollout_operator/guardrails/",
)
"""Folders whose conftest starts something that takes long: a worker takes the folder whole, so that it is started once."""
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


def pytest_configure(config: pytest.Config) -> None:
    if FOLDER not in os.environ:
        shared = tempfile.TemporaryDirectory(prefix="endcap-test-artifacts-")
        os.environ[FOLDER] = shared.name
        config.add_cleanup(shared.cleanup)
        config.add_cleanup(lambda: os.environ.pop(FOLDER))
    platform.processor()  # starts `uname` once; libraries that ask later find the answer kept
    config.pluginmanager.register(ProcessGuard(), "process-guard")


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Those that start processes are marked, and come first: workers take file after file, and the last ones should be short.

    A wrapper: `-m` reads the marker in a hook of the same name.
    """
    for item in items:
        if any(name in getattr(item, "fixturenames", ()) for name in STARTS_PROCESSES):
            item.add_marker(pytest.mark.processes)
    with_processes = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: (item.get_closest_marker("pipeline") is None, item.path not in with_processes))
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in ONE_WORKER if nodeid.startswith(folder)), None) or super()._split_scope(nodeid)

    return ByFileOrFolder(config, log)


@pytest.fixture(scope="session")
def milvus_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("milvus-home")
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    return home


@pytest.fixture(scope="session")
def milvus(milvus_home: Path) -> Iterator[MilvusSettings]:
    """The settings of a local Milvus that runs until the last test."""
    settings = Settings(home=milvus_home, milvus=MilvusSettings(port=free_port(), keep_collections=2))
    with running_milvus(settings) as running:
        yield running


@pytest.fixture(scope="session")
def migrated_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MLflow's databases are copies of one whose migrations have run."""
    with migrated_once(kept_folder(tmp_path_factory)):
        yield


@pytest.fixture(scope="session")
def quick_kfp() -> Iterator[None]:
    """kfp without the source lines of its callers.

    For each option of each step it asks `inspect.stack()` for a function's name. With all tests loaded, the lines that come with it cost
    seconds a pipeline: every frame is looked up among thousands of modules.
    """
    from kfp.dsl import pipeline_task

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_task, "inspect", SimpleNamespace(stack=lambda: inspect.stack(0)))
        yield
