"""Which tests may run at the same time, which start processes, and the one Milvus that they share."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from endcap.index.local_server import running_milvus
from endcap.settings import MilvusSettings, Settings
from tests.free_ports import free_port
from tests.mlflow_database import migrated_once
from tests.shared_milvus import kept_folder, share_unpacked_milvus

SHARED = ("milvus", "endpoint", "broker", "scene", "filled")
"""Fixtures that take long and last to the end of the run: the files that use one run in one worker, so that it is made once."""
STARTS_PROCESSES = ("milvus", "endpoint", "broker", "scene", "_helm")
"""Fixtures whose tests are marked `processes` here, like those with a marker of `NEEDS_DEPLOYMENT`; others mark themselves."""
NEEDS_DEPLOYMENT = ("cluster", "faults")
PROCESS_EVENTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "os.system")


class ProcessGuard:
    """Fails an unmarked test that starts a process: `make test-unit` leaves out what is marked, and nothing else."""

    def __init__(self) -> None:
        self._unmarked: str | None = None
        sys.addaudithook(self._look)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._unmarked = None if item.get_closest_marker("processes") else item.nodeid
        try:
            return (yield)  # type: ignore[return-value]
        finally:
            self._unmarked = None

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if self._unmarked is not None and event in PROCESS_EVENTS:
            raise AssertionError(f"{self._unmarked} starts a process, {event} {str(arguments)[:200]}: mark it with pytest.mark.processes")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(ProcessGuard(), "process-guard")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests are dealt out by file, or by the fixture that files share; those that take longest come first."""
    group_of: dict[Path, str] = {}
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if any(name in fixtures for name in STARTS_PROCESSES) or any(item.get_closest_marker(name) for name in NEEDS_DEPLOYMENT):
            item.add_marker(pytest.mark.processes)
        for name in SHARED:
            if name in fixtures:
                group_of.setdefault(item.path, name)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of.get(item.path, item.nodeid.split("::")[0])))
    with_processes = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: (item.get_closest_marker("pipeline") is None, item.path not in with_processes))


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: without this, each full garbage collection would walk through all of it."""
    gc.collect()
    gc.freeze()


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
