"""The stream on Spark in a home folder, which holds its checkpoint and state too."""

import sys
from pathlib import Path

from endcap_benchmarks.events.spark_process import SparkStream

_SMALL = ("--buckets", "2", "--trigger-seconds", "0.5")


def started_stream(home: Path, bootstrap: str, jars: Path, *arguments: str) -> SparkStream:
    """Start it and wait until it has done a batch.

    Args:
        home: of the deployment.
        bootstrap: Kafka's host:port.
        jars: of Kafka's connector.
        arguments: further ones of the application.
    """
    stream = SparkStream(sys.executable, home, home / "stream-spark", bootstrap, jars, [*_SMALL, *arguments])
    stream.await_ready()
    return stream
