"""Kafka's topics as Spark reads them, and a clock beside them, so that time passes where no event comes."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from endcap.contracts.topics import EVENTS, IMPRESSIONS
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.settings import EventSettings
from endcap_stream.spark.stages.reading import RECORD_COLUMNS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TICK_PARTITIONS = 1


def topics_read(settings: EventSettings) -> tuple[str, ...]:
    """The topics that the stream reads."""
    return tuple(topic.named(settings.topic_prefix) for topic in (EVENTS, IMPRESSIONS))


def client_options(file: Path | None) -> Mapping[str, str]:
    """Settings of Kafka's Java client from a file, `name=value` a line; they may hold passwords.

    Raises:
        InvalidInput: the file cannot be read, or has a line that is not understood.
    """
    if file is None:
        return {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(
            "the file cannot be read as text", field="--kafka-options", value=str(file), fix="mount the secret there"
        ) from error
    options: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        # A line that is not understood may be a password that was cut in two: it is not shown.
        if not equals or not name:
            raise InvalidInput("the line is not `name=value`", field=f"{file}:{number}", fix="for example security.protocol=SASL_SSL")
        options[f"kafka.{name}"] = value
    return options


def read_stream(session: "SparkSession", settings: EventSettings, records_max: int, options: Mapping[str, str]) -> "DataFrame":
    """Columns `topic`, `partition`, `offset` and `value` of the topics, from their beginning, `with_ticks`.

    Args:
        session: with Kafka's connector on its class path.
        settings: where Kafka is, and the topics' prefix.
        records_max: of one batch, over all topics.
        options: further ones of Spark's source.

    Raises:
        InvalidInput: no Kafka is set.
        DependencyUnavailable: Spark was started without the connector.
    """
    from pyspark.errors import AnalysisException

    if not settings.kafka_bootstrap:
        fix = "set it to host:port of one or more brokers"
        raise InvalidInput("no Kafka is set", field="ENDCAP_EVENTS__KAFKA_BOOTSTRAP", fix=fix)
    source = session.readStream.format("kafka").options(**options).option("kafka.bootstrap.servers", settings.kafka_bootstrap)
    source = source.option("subscribe", ",".join(topics_read(settings))).option("startingOffsets", "earliest")
    try:
        values = source.option("maxOffsetsPerTrigger", records_max).load().select(*RECORD_COLUMNS)
    except AnalysisException as error:
        fix = "put spark-sql-kafka-0-10 of Spark's version on its class path"
        raise DependencyUnavailable("Spark has no Kafka source", field="spark.jars", fix=fix) from error
    return with_ticks(session, values)


def with_ticks(session: "SparkSession", values: "DataFrame") -> "DataFrame":
    """The same rows and in each batch one more without any value, so that a batch comes at each trigger.

    Args:
        session: Spark's.
        values: of a stream.
    """
    from pyspark.sql import functions as f

    ticks = session.readStream.format("rate-micro-batch").option("rowsPerBatch", 1).option("numPartitions", _TICK_PARTITIONS).load()
    return values.unionByName(ticks.select(*(f.lit(None).cast(field.dataType).alias(field.name) for field in values.schema.fields)))


def has_records(values: "DataFrame") -> bool:
    """Whether a batch has more than its tick; known without reading it, since what has nothing new has no partition.

    Args:
        values: a batch of `with_ticks`.
    """
    return bool(values.rdd.getNumPartitions() > _TICK_PARTITIONS)
