"""The folder that an image works in, as the image's user has it."""

import shutil

from images.dry_build import UID, DryBuild


def empty_home(build: DryBuild) -> None:
    """Nothing of the test before."""
    shutil.rmtree(build.home, ignore_errors=True)
    build.home.mkdir()


def give_home(build: DryBuild) -> None:
    """All that lies there belongs to the image's user, as what its volume holds does."""
    for path in (build.home, *build.home.rglob("*")):
        if not path.is_symlink():
            shutil.chown(path, UID, UID)
