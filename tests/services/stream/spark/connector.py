"""Spark's connector to Kafka."""

from pathlib import Path

from endcap_benchmarks.kafka.jars import connector_jars
from tests.maven_cache import required


def required_connector() -> Path:
    """Folder of the jars, or a skipped test with the reason."""
    return required(connector_jars())
