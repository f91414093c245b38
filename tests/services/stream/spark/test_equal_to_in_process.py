"""The stream on Spark says what the in-process one says, batch for batch."""

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from endcap.events.stream.buried import LETTERS
from endcap.events.stream.driver import Taken
from endcap_stream.spark.stages.judging import PLACEHOLDERS
from endcap_stream.spark.stages.keying import TAKEN
from endcap_stream.spark.stages.reading import BROKEN
from endcap_stream.spark.storage.batch_record import BatchRecord
from tests.properties import examples
from tests.seeds import SEEDS
from tests.services.stream.spark.made_lines import made_batches
from tests.services.stream.spark.serial_spark import SerialSession
from tests.services.stream.spark.spark_bench import InProcess, OnSpark, Rows, all_functions

BATCHES, EVENTS = 4, 60


def assert_equal_rows(found: Rows, expected: Rows, name: str) -> None:
    assert found.keys() == expected.keys(), name
    for key, row in expected.items():
        assert _close(found[key], row), f"{name} {key}: {found[key]} is not {row}"


def _close(found: Any, expected: Any) -> bool:
    if isinstance(expected, Mapping):
        return found.keys() == expected.keys() and all(_close(found[name], value) for name, value in expected.items())
    return found == (pytest.approx(expected, abs=1e-6) if isinstance(expected, float) else expected)


def assert_equal_counts(record: BatchRecord, taken: Taken) -> None:
    counts = record.counts
    assert counts.get(TAKEN, 0) == taken.events
    assert {reason: counts.get(reason, 0) for reason in taken.left_out} == dict(taken.left_out)
    assert counts.get(PLACEHOLDERS, 0) == taken.placeholder_ids
    assert (record.waiting.get(LETTERS, 0), counts[BROKEN]) == (taken.broken, taken.broken)
    assert record.failed == taken.failed == {}
    assert (record.present, record.watermark) == (taken.at.present, taken.at.watermark)


def assert_equal_streams(session: Any, folder: Path, seed: int) -> None:
    functions = all_functions()
    spark, driver, random = OnSpark(session, folder / "spark", functions), InProcess(folder / "driver", functions), Random(seed)
    for lines, now in made_batches(random, BATCHES, EVENTS):
        # By executors or by the driver: either goes on from what the other stored.
        spark.driver_records_max = random.choice([0, len(lines)])
        assert_equal_counts(spark.take(lines, now), driver.take(lines, now))
        for function, _ in functions:
            assert_equal_rows(spark.rows(function.name), driver.rows(function.name), function.name)


@pytest.mark.properties
@examples(40, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_rows_and_counts_are_those_of_the_in_process_stream(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    assert_equal_streams(SerialSession(), tmp_path_factory.mktemp("both"), seed)


@pytest.mark.processes
@pytest.mark.parametrize("seed", SEEDS)
def test_spark_computes_the_same(session: Any, tmp_path: Path, seed: int) -> None:
    assert_equal_streams(session, tmp_path, seed)
