import json
from pathlib import Path

from endcap_benchmarks.figure_table import figures_of


def test_each_run_of_the_scenarios_has_a_row_in_their_order(tmp_path: Path) -> None:
    runs = [
        {"scenario": "rate", "of": "one core", "events_per_second": 2462.1},
        {"scenario": "fresh", "of": "in-process", "p99_ms": {"row": 770.66}, "probes": 200},
        {"scenario": "other", "of": "x"},
        {"scenario": "fresh", "of": "Spark", "not_run": "no Java"},
    ]
    (tmp_path / "made.json").write_text(json.dumps({"runs": runs}))
    columns = {"p99, ms": ("p99_ms", "row"), "events a second": ("events_per_second",), "watched": ("probes",)}
    assert figures_of("made", ["fresh", "rate"], columns, tmp_path).splitlines() == [
        "| run | of | p99, ms | events a second | watched |",
        "| --- | --- | ---: | ---: | ---: |",
        "| fresh | in-process | 770.7 |  | 200 |",
        "| fresh | Spark |  |  |  |",
        "| rate | one core |  | 2,462 |  |",
    ]
