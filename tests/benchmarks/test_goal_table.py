"""A page's table of goals says each as it was measured, and on what."""

import json
from pathlib import Path

from endcap_benchmarks.goal_table import goals_of


def test_each_goal_has_a_row_and_what_was_missed_stands_out(tmp_path: Path) -> None:
    verdicts = [
        {"goal": "p99", "where": "all parts", "value": 1234.5678, "limit": "< 2,000 ms", "met": True},
        {"goal": "ratio", "where": "all parts", "value": 1.30049, "limit": "<= 1.25", "met": False},
        {"goal": "share", "where": "alone", "value": None, "limit": ">= 1", "met": None},
    ]
    machine = {"cores": 2, "cpu": "made", "memory_gib": 23.5}
    content = {"measured_at": "2026-11-30T10:00:00+00:00", "commit": "abc", "machine": machine, "verdicts": verdicts}
    (tmp_path / "events.json").write_text(json.dumps(content))
    assert goals_of("events", tmp_path).splitlines() == [
        "| goal | of | limit | measured | met |",
        "| --- | --- | --- | ---: | --- |",
        "| p99 | all parts | < 2,000 ms | 1,235 | yes |",
        "| ratio | all parts | <= 1.25 | 1.3 | **no** |",
        "| share | alone | >= 1 |  | not measured |",
        "",
        "Measured: commit abc, 2026-11-30, 2 cores (made), 23.5 GiB, all parts on one machine.",
    ]
