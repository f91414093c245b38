"""The whole program against the real processes, on a catalogue that is made in half a minute."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from endcap_benchmarks.events.options import FRESHNESS, SCENARIOS, SPARK, TO_KAFKA
from endcap_benchmarks.kafka.jars import broker_jars, connector_jars
from tests.maven_cache import required
from tests.shared_milvus import kept_folder, share_unpacked_milvus

pytestmark = pytest.mark.processes

WITHOUT_KAFKA = [name for name in SCENARIOS if name not in {TO_KAFKA, FRESHNESS, SPARK}]

LENGTHS = {
    **{"--items": 2_000, "--users": 200, "--probes": 8, "--probe-rate": 4, "--turns": 2, "--turn-seconds": 2},
    **{"--cpu-seconds": 2, "--idle-seconds": 1, "--collector-seconds": 1, "--sessions": 300},
}


def test_the_collector_is_measured_through_kafka(tmp_path: Path) -> None:
    required(broker_jars())
    required(connector_jars())
    out = tmp_path / "events.json"
    command = [
        sys.executable,
        "-m",
        "endcap_benchmarks.events",
        "--scenarios",
        "collector-kafka",
        "--collector-seconds",
        "1",
        "--out",
        str(out),
    ]
    done = subprocess.run(
        command, env=os.environ | {"ENDCAP_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    runs = json.loads(out.read_text())["runs"]
    assert [run["scenario"] for run in runs] == ["collector to Kafka"] * 2
    assert all(run["events"] > 0 and run["events_refused"] == 0 and run["kafka_behind_s"] is not None for run in runs)
    assert not list((tmp_path / "bench").iterdir())


@pytest.mark.bench
def test_the_quick_benchmark_measures_every_scenario_that_needs_no_kafka(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    share_unpacked_milvus(tmp_path, kept_folder(tmp_path_factory))
    out = tmp_path / "events.json"
    lengths = [str(part) for pair in LENGTHS.items() for part in pair]
    command = [sys.executable, "-m", "endcap_benchmarks.events", "--quick", *lengths, "--scenarios", *WITHOUT_KAFKA, "--out", str(out)]
    environment = os.environ | {"ENDCAP_HOME": str(tmp_path), "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "goals" in done.stdout
    written = json.loads(out.read_text())
    by_scenario = {run["scenario"]: run for run in written["runs"]}
    assert len(by_scenario) == 8
    changed = by_scenario["changed answer"]
    assert changed["probes"] == 8
    assert changed["never_changed"] + changed["not_accepted"] + changed["without_list"] < 8
    assert changed["events_not_accepted"] == 0
    assert by_scenario["cpu of events"]["all_taken_by_stream"]
    assert by_scenario["cpu of events"]["cpu_s_a_thousand"].keys() == {"collector", "stream"}
    assert by_scenario["requests beside events"]["p99_ratio"] > 0
    assert by_scenario["collector: batches"]["events_refused"] == 0
    assert by_scenario["collector: batches at half"]["requests_failed"] == 0
    assert by_scenario["zipped zeros"]["statuses"] == {"413": 20}
    assert {verdict["goal"] for verdict in written["verdicts"]} >= {"accepted to changed answer, p99", "stream, CPU a thousand events"}
    assert not list((tmp_path / "bench" / "2000").glob("events/*"))
