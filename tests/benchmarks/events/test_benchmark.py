"""The whole program against the real processes, on a catalogue that is made in half a minute."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_milvus import kept_folder, share_unpacked_milvus

pytestmark = pytest.mark.processes

LENGTHS = {
    **{"--items": 2_000, "--users": 200, "--probes": 8, "--probe-rate": 4, "--turns": 2, "--turn-seconds": 2},
    **{"--cpu-seconds": 2, "--idle-seconds": 1, "--collector-seconds": 1, "--sessions": 300},
}


@pytest.mark.bench
def test_the_quick_benchmark_measures_every_scenario(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    share_unpacked_milvus(tmp_path, kept_folder(tmp_path_factory))
    out = tmp_path / "events.json"
    lengths = [str(part) for pair in LENGTHS.items() for part in pair]
    command = [sys.executable, "-m", "endcap_benchmarks.events", "--quick", *lengths, "--out", str(out)]
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
