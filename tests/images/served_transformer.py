"""The transformer of an image, serving beside a real Milvus and model server."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endcap_local.parts import settings_environment
from images.dry_build import DryBuild
from tests.faults.deployment import Deployment, running_deployment
from tests.images.image_home import empty_home, give_home
from tests.waiting import until


@contextmanager
def served_transformer(build: DryBuild, shared: Path) -> Iterator[tuple[Deployment, int]]:
    """A deployment whose transformer is the image's, and that process's id; every stage takes part in answers.

    Args:
        build: the transformer's image.
        shared: keeps Milvus's unpacked program.
    """
    empty_home(build)
    with running_deployment(build.home, shared) as deployment:
        deployment.transformer.end()
        give_home(build)
        inside = {"ENDCAP_HOME": "/var/lib/endcap", "ENDCAP_FEATURE_REPO_DIR": "/opt/endcap/feature_repo"}
        started = build.starting(["python", "-m", "endcap_transformer"], **settings_environment(deployment.settings) | inside)
        log = build.home / "image.log"
        with log.open("w") as written:
            served = subprocess.Popen(started, stdout=written, stderr=written)
        try:
            until(lambda: deployment.is_ready() or served.poll() is not None, "the image's transformer did not answer", 120)
            assert served.poll() is None, log.read_text()
            deployment.wait_until_sound()
            yield deployment, served.pid
        finally:
            served.terminate()
            assert served.wait(timeout=60) == 0, log.read_text()
