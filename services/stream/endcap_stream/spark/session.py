"""Spark's session for the stream; all that is not said here is spark-submit's."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ALL_PARTITIONS = 10_000


def open_session(name: str) -> "SparkSession":
    """Open the session.

    Args:
        name: of the application.
    """
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(name).config("spark.sql.session.timeZone", "UTC")
    # What is read of a batch up to a number of records: of all partitions at once, not of one and then of others.
    return builder.config("spark.sql.limit.initialNumPartitions", _ALL_PARTITIONS).getOrCreate()
