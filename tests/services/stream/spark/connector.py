"""Spark's connector to Kafka, as the image has it: fetched once by Maven and kept outside the tree."""

from functools import cache
from pathlib import Path

from tests.maven_cache import jars_of, required

POM = Path(__file__).parents[4] / "images" / "spark" / "pom.xml"


def required_connector() -> Path:
    """Folder of the jars, or a skipped test with the reason."""
    return required(_jars())


@cache
def _jars() -> tuple[Path | None, str]:
    return jars_of(POM, "Spark-Kafka")
