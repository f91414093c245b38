"""The whole program against the real processes, on a catalogue that is made in half a minute."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_milvus import kept_folder, share_unpacked_milvus

pytestmark = pytest.mark.processes

STAGES = {"features", "retrieval", "rank", "whole", "total"}
PARTS = {"transformer", "model server", "milvus"}


@pytest.mark.bench
def test_the_quick_benchmark_measures_every_scenario(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    share_unpacked_milvus(tmp_path, kept_folder(tmp_path_factory))
    out = tmp_path / "serving.json"
    sizes = ["--items", "2000", "--users", "200", "--seconds", "4", "--short-seconds", "1", "--rate", "10"]
    command = [sys.executable, "-m", "endcap_benchmarks.serving", "--quick", *sizes, "--out", str(out)]
    environment = os.environ | {"ENDCAP_HOME": str(tmp_path), "TF_USE_LEGACY_KERAS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "goals" in done.stdout
    written = json.loads(out.read_text())
    by_scenario = {run["scenario"]: run for run in written["runs"]}
    assert set(by_scenario) == {"steady", "one client", "item table refresh", "answers from cache", "overload", "next event", "bulk lists"}
    steady = next(run for run in written["runs"] if run["scenario"] == "steady" and run["protocol"] == "http")
    assert steady["requests"] == 40
    assert steady["empty_although_eligible"] == 0
    assert set(steady["statuses"]) <= {"200", "429"}
    assert steady["rules"] == 200
    assert set(steady["p99_ms"]) >= STAGES
    assert set(steady["memory_mib"]) == PARTS
    assert set(steady["cpu_ms_a_request"]) == {*PARTS, "load generator"}
    assert 0 < steady["own_cpu_share"] < 1
    assert by_scenario["item table refresh"]["updates"] > 0
    assert by_scenario["next event"]["changed"] > 0
    assert by_scenario["bulk lists"]["bulk_lists_a_second"] > 0
    assert by_scenario["bulk lists"]["bulk_failed"] == []
    assert any(verdict["goal"] == "whole p99" for verdict in written["verdicts"])
