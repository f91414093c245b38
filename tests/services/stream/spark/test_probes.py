"""Probes among Kafka's records: a row of their own, and nothing else of a batch."""

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from endcap.contracts.probe import ONLINE_ID
from endcap.events.probes.line import probe_line
from endcap.events.probes.session_row import session_row
from endcap_stream.spark.stages.reading import RECORDS
from tests.seeds import SEEDS
from tests.services.stream.spark.made_lines import made_batches
from tests.services.stream.spark.serial_spark import SerialSession
from tests.services.stream.spark.spark_bench import OnSpark, all_functions

BATCHES, EVENTS = 3, 40


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_and_counts_are_those_of_records_without_probes(tmp_path: Path, seed: int) -> None:
    functions, random = all_functions(), Random(seed)
    without, probed = (OnSpark(SerialSession(), tmp_path / name, functions) for name in ("without", "probed"))
    for lines, now in made_batches(Random(seed), BATCHES, EVENTS):
        probe = probe_line("a", now, random).strip().encode()
        place = random.randrange(len(lines) + 1)
        found, expected = probed.take([*lines[:place], probe, *lines[place:]], now), without.take(lines, now)
        assert found.counts == {**expected.counts, RECORDS: expected.counts[RECORDS] + 1}
        assert (found.present, found.watermark, found.received_at) == (expected.present, expected.watermark, expected.received_at)
        assert (found.newest_probe, expected.newest_probe) == (now, None)
        for function, _ in functions:
            rows = dict(probed.rows(function.name))
            own = rows.pop((ONLINE_ID,), None)
            assert rows == without.rows(function.name), function.name
            assert own == (session_row(now).row(0, named=True) if function.name == "sessions" else None)


def test_a_batch_of_probes_alone_steps_nothing(tmp_path: Path) -> None:
    stream, random = OnSpark(SerialSession(), tmp_path, all_functions()), Random(1)
    ((lines, now),) = made_batches(Random(2), 1, 10)
    stream.take(lines, now)
    later = now + timedelta(seconds=1)
    record = stream.take([probe_line("a", later, random).strip().encode()], later)
    assert (record.waiting, record.newest_probe) == ({"sessions": 1}, later)
