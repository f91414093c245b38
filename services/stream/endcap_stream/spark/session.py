"""Spark's session for the stream; all that is not said here is spark-submit's."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def open_session(name: str) -> "SparkSession":
    """Open the session.

    Args:
        name: of the application.
    """
    from pyspark.sql import SparkSession

    return SparkSession.builder.appName(name).config("spark.sql.session.timeZone", "UTC").getOrCreate()
