import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from endcap_benchmarks.record import document, machine, write_document
from endcap_benchmarks.serving.report import print_report, verdicts


def steady(items: int, **changes) -> dict:
    stages = {"retrieval": 5.0, "rank": 8.0, "rules": 1.0, "whole": 25.0}
    row = {
        "scenario": "steady",
        "items": items,
        "protocol": "http",
        "rate": 20.0,
        "p50_ms": stages,
        "p95_ms": stages,
        "p99_ms": stages,
        "own_stages_cpu_ms_a_request": None,
        "own_stages_cpu_share": None,
        "memory_mib": {"transformer": 900.0},
        "start_seconds": 12.0,
        "degraded_share": 0.0,
        "errors": 0,
        "empty_although_eligible": 0,
    }
    return row | changes


def met(rows: list[dict]) -> dict[str, bool | None]:
    return {verdict.goal: verdict.met for verdict in verdicts(rows)}


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    judged = met([steady(1_000_000)])
    assert judged["endcap's own code, CPU a request"] is None
    assert judged["whole p99"] is True


def test_a_small_catalogue_has_the_tighter_goal() -> None:
    slow = {"retrieval": 5.0, "rank": 8.0, "rules": 1.0, "whole": 40.0}
    assert met([steady(100_000, p99_ms=slow)])["whole p99"] is False
    assert met([steady(1_000_000, p99_ms=slow)])["whole p99"] is True


def test_a_fast_answer_that_left_stages_out_is_not_met() -> None:
    assert met([steady(10_000, degraded_share=0.05)])["lists with a stage that fell back"] is False


def test_growth_compares_the_two_large_catalogues() -> None:
    large = steady(1_000_000, p99_ms={"whole": 40.0})
    judged = met([steady(100_000), large])
    assert judged["whole p99 over that of 100,000 items"] is False
    assert "whole p99 over that of 100,000 items" not in met([steady(10_000), large])


def test_overload_is_judged_by_those_who_were_let_in() -> None:
    over = {"goodput": 55.0, "accepted_p99_ms": 48.0, "shed_share": 0.6, "retry_after_share": 1.0, "lost_share": 0.0}
    row = {"scenario": "overload", "items": 10_000, "deadline_ms": 50.0, "capacity_requests_per_second": 60.0, "over": over}
    assert all(met([row]).values())
    assert not met([row | {"over": over | {"goodput": 20.0}}])["3x overload: goodput of capacity"]


@pytest.mark.processes
def test_the_table_has_every_figure_and_the_file_says_what_it_was_measured_on(tmp_path: Path) -> None:
    rows = [steady(1_000_000)]
    screen = io.StringIO()
    print_report(Console(file=screen, width=140), rows, verdicts(rows))
    assert "retrieval" in screen.getvalue() and "transformer memory" in screen.getvalue()
    write_document(tmp_path / "new" / "serving.json", document(rows, verdicts(rows), {"rate": 20}))
    written = json.loads((tmp_path / "new" / "serving.json").read_text())
    assert written["runs"] == rows
    assert set(written["machine"]) == set(machine()) >= {"cores", "memory_gib", "kernel"}
    assert written["verdicts"][0].keys() == {"goal", "where", "value", "limit", "met"}
