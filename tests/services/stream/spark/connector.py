"""Spark's connector to Kafka, as the image has it: fetched once by Maven and kept outside the tree."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.maven_cache import kept_or_fetched

POM = Path(__file__).parents[4] / "images" / "spark" / "pom.xml"


def required_connector() -> Path:
    """Folder of the jars, or a skipped test with the reason."""
    folder, reason = _jars()
    if folder is None:
        pytest.skip(reason)
    return folder


@cache
def _jars() -> tuple[Path | None, str]:
    found = re.search(r"<spark\.version>(.+)</spark\.version>", POM.read_text())
    assert found is not None
    return kept_or_fetched("Spark-Kafka", found[1], _copied_to)


def _copied_to(folder: Path) -> Sequence[str | Path]:
    return ["-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
