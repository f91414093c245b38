"""One Prometheus for the whole folder."""

from collections.abc import Iterator

import pytest

from tests.services.rollout_operator.guardrails.scene import Scene, running_scene


@pytest.fixture(scope="package")
def scenes() -> list[Scene]:
    """Those at work; none until a test needs one."""
    return []


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory, scenes: list[Scene]) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("prometheus")) as running:
        scenes.append(running)
        yield running


@pytest.fixture(scope="module", autouse=True)
def rested(scenes: list[Scene]) -> Iterator[None]:
    """Pods of a module rest after it: the folder is no package, so what is shared in it lives to the end of the run."""
    yield
    for each in scenes:
        each.let_rest()
