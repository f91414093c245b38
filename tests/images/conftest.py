"""Images as far as they can be built without a container engine; each is gone when the test file is over."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.dry_build import DryBuild, dry_build, package_cache
from images.private_root import why_not

WANTED = os.environ.get("ENDCAP_TEST_IMAGES") == "1"


@pytest.fixture(scope="module")
def build(request: pytest.FixtureRequest) -> Iterator[DryBuild]:
    """The image that the file's IMAGE names."""
    if not WANTED:
        pytest.skip("it downloads and installs gigabytes: make test-images")
    if why_not():
        pytest.skip(why_not())
    # Not under pytest's own folder, which keeps what the last three runs left.
    with tempfile.TemporaryDirectory(prefix="endcap-image-") as folder:
        yield dry_build(request.module.IMAGE, Path(folder), package_cache())
