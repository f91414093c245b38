"""One deployment for all fault tests, whole again before each of them."""

from collections.abc import Iterator

import pytest

from tests.faults.deployment import Deployment, running_deployment
from tests.faults.load import Load
from tests.shared_milvus import kept_folder


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with running_deployment(tmp_path_factory.mktemp("faults"), kept_folder(tmp_path_factory)) as deployment:
        yield deployment


@pytest.fixture
def deployment(running: Deployment) -> Deployment:
    """All parts run and take part in answers."""
    for part in (running.milvus, running.model_server):
        if part.code() is not None:
            part.start()
            part.wait_until_ready()
    if running.transformer.code() is not None:
        running.start_transformer()
    (running.home / "faults.json").unlink(missing_ok=True)
    running.wait_until_sound()
    return running


@pytest.fixture
def load(deployment: Deployment) -> Iterator[Load]:
    """Requests that come all the time."""
    with Load(deployment.http_port).running() as load:
        yield load
