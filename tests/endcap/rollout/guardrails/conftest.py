"""One Prometheus for the whole folder."""

from collections.abc import Iterator

import pytest

from tests.endcap.rollout.guardrails.scene import Scene, running_scene


@pytest.fixture(scope="package")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running_scene(tmp_path_factory.mktemp("prometheus")) as running:
        yield running
