"""Kafka's own jars, and those of Spark's connector to it as the image has them."""

from functools import cache
from pathlib import Path

from endcap_benchmarks.kafka.maven_cache import jars_of

_CONNECTOR_POM = Path(__file__).parents[3] / "images" / "spark" / "pom.xml"


@cache
def broker_jars() -> tuple[Path | None, str]:
    """Folder of the broker's jars, or the reason why there is none."""
    return jars_of(Path(__file__).with_name("pom.xml"), "Kafka", "-DincludeScope=runtime")


@cache
def connector_jars() -> tuple[Path | None, str]:
    """Folder of the connector's jars, or the reason why there is none."""
    return jars_of(_CONNECTOR_POM, "Spark-Kafka")
