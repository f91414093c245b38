import io

import pytest
from rich.console import Console

from endcap_benchmarks.events.report import print_report, verdicts

CHANGED = {
    "scenario": "changed answer",
    "of": "10,000 items",
    **{name: {"accepted to changed answer": 900.0, "sent to accepted": 8.0} for name in ("p50_ms", "p95_ms", "p99_ms")},
    "p99_ms_interval": (850.0, 980.0),
    "probes": 2_000,
    "events_per_second": 199.0,
    "controls_changed_share": 0.1,
}


def met(*rows: dict) -> dict[str, bool | None]:
    return {verdict.goal: verdict.met for verdict in verdicts(rows)}


def test_a_changed_answer_is_judged_by_its_p99_and_by_what_it_was_measured_on() -> None:
    assert all(met(CHANGED).values())
    slow = CHANGED | {"p99_ms": {"accepted to changed answer": 2_000.0}}
    assert met(slow)["accepted to changed answer, p99"] is False
    assert met(CHANGED | {"probes": 60})["events that were watched"] is False
    assert met(CHANGED | {"events_per_second": 120.0})["events a second beside"] is False
    assert met(CHANGED | {"controls_changed_share": 0.11})["lists that changed without an event, share"] is False


@pytest.mark.parametrize(("ratio", "expected"), [(1.25, True), (1.26, False), (None, None)])
def test_requests_may_be_a_quarter_slower_beside_events(ratio: float | None, expected: bool | None) -> None:
    row = {"scenario": "requests beside events", "of": "10,000 items", "p99_ratio": ratio}
    assert list(met(row).values()) == [expected]


def test_each_process_has_its_share_of_cpu() -> None:
    row = {"scenario": "cpu of events", "of": "single events", "cpu_s_a_thousand": {"collector": 1.0, "stream": 2.1}}
    assert met(row) == {"collector, CPU a thousand events": True, "stream, CPU a thousand events": False}


def test_the_collector_is_judged_by_batches_by_latency_at_half_and_by_single_events() -> None:
    batches = {"scenario": "collector: batches", "of": "batches of 100", "events_per_second": 19_999.0}
    half = {"scenario": "collector: batches at half", "of": "batches of 100", "rate": 10_000.0, "p99_ms": {"request": 12.0}}
    singles = {"scenario": "collector: single events", "of": "single events", "events_per_second": 1_000.0}
    assert [verdict.met for verdict in verdicts([batches, half, singles])] == [False, True, True]
    unanswered = {key: value for key, value in half.items() if key != "p99_ms"}
    assert list(met(unanswered).values()) == [None]


def test_one_try_that_was_let_in_is_a_missed_goal() -> None:
    row = {"scenario": "zipped zeros", "of": "50 MiB", "refused_share": 0.95}
    assert list(met(row).values()) == [False]


def test_the_table_has_figures_with_their_intervals_and_the_goals() -> None:
    screen = io.StringIO()
    stream = {"scenario": "stream functions", "of": "10,000 sessions, sessions", "events_a_core_second": 31_000.5}
    rows = [CHANGED, stream]
    print_report(Console(file=screen, width=140), rows, verdicts(rows))
    shown = screen.getvalue()
    assert "850 to 980" in shown and "31,000" in shown
    assert "accepted to changed answer, p99" in shown and "yes" in shown
