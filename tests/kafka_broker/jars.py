"""Kafka's own jars, fetched once by Maven and kept outside the tree."""

from functools import cache
from pathlib import Path

from tests.maven_cache import jars_of, required

POM = Path(__file__).with_name("pom.xml")


def required_jars() -> Path:
    """Folder of the jars, or a skipped test with the reason."""
    return required(_jars())


@cache
def _jars() -> tuple[Path | None, str]:
    return jars_of(POM, "Kafka", "-DincludeScope=runtime")
