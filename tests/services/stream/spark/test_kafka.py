"""The stream on Spark over a real broker, killed under load: each event is in its visit once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from confluent_kafka import Producer

from endcap.contracts.topics import EVENTS, IMPRESSIONS
from endcap.core.settings import EventSettings
from endcap.events.dead_letters.letters import letter_table
from endcap.events.schemas.frame import framed
from tests.kafka_broker.broker import KafkaBroker, running_broker
from tests.seeds import SEEDS
from tests.services.stream.spark.connector import required_connector
from tests.services.stream.spark.spark_bench import line_of
from tests.services.stream.spark.spark_stream_process import SparkStreamProcess
from tests.endcap.events.stream.streamed_events import event
from tests.waiting import until

VISITS, CLICKS = 40, 12
PREFIX = EventSettings().topic_prefix


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    pytest.importorskip("pyspark", reason="pyspark is not installed: make test-spark")
    with running_broker(tmp_path_factory.mktemp("broker")) as running:
        yield running
