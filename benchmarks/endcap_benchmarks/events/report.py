"""The goals of events, and what their table shows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console

from endcap_benchmarks.events.scenarios.collector_alone import BATCH_RATE
from endcap_benchmarks.report_table import Row, print_table
from endcap_benchmarks.verdict import Verdict, at_least, at_most, below

CHANGED_P99_MS = 2_000.0
CHANGED_PROBES = 2_000
CHANGED_EVENTS_A_SECOND = 200.0
RATE_KEPT = 0.95
"""Of the rate that was asked for: a load that fell behind is another load."""

BESIDE_RATIO = 1.25
CPU_S_A_THOUSAND = {"collector": 1.0, "stream": 2.0}
BATCHES_P99_MS = 50.0
CONTROLS_CHANGED_SHARE = 0.1
"""Counts of what others bought reach all lists: of the changes that are waited for, so many may have been another's."""
SINGLES_A_SECOND = 1_000.0


def verdicts(runs: Iterable[Row]) -> list[Verdict]:
    """Every goal that the runs say something about."""
    return [verdict for row in runs for verdict in _GOALS_OF[row["scenario"]](row)]


def where(row: Row) -> str:
    """What a run is of."""
    return str(row["of"])


def _changed(row: Row) -> list[Verdict]:
    return [
        below("accepted to changed answer, p99", where(row), row["p99_ms"].get("accepted to changed answer"), CHANGED_P99_MS, "ms"),
        at_least("events that were watched", where(row), row["probes"], CHANGED_PROBES),
        at_least("events a second beside", where(row), row["events_per_second"], RATE_KEPT * CHANGED_EVENTS_A_SECOND),
        at_most("lists that changed without an event, share", where(row), row["controls_changed_share"], CONTROLS_CHANGED_SHARE),
    ]


def _beside(row: Row) -> list[Verdict]:
    return [at_most("requests' p99 with events over without", where(row), row["p99_ratio"], BESIDE_RATIO)]


def _cpu(row: Row) -> list[Verdict]:
    return [
        at_most(f"{name}, CPU a thousand events", where(row), row["cpu_s_a_thousand"].get(name), limit, "s")
        for name, limit in CPU_S_A_THOUSAND.items()
    ]


def _batches(row: Row) -> list[Verdict]:
    return [at_least("collector, events a second", where(row), row["events_per_second"], BATCH_RATE)]


def _batches_at_half(row: Row) -> list[Verdict]:
    p99_ms = row.get("p99_ms", {}).get("request")
    return [below(f"collector, p99 at {row['rate']:,.0f} events a second", where(row), p99_ms, BATCHES_P99_MS, "ms")]


def _singles(row: Row) -> list[Verdict]:
    return [at_least("collector, events a second", where(row), row["events_per_second"], SINGLES_A_SECOND)]


def _zeros(row: Row) -> list[Verdict]:
    return [at_least("refused at the limit, share", where(row), row["refused_share"], 1)]


_GOALS_OF: dict[str, Callable[[Row], list[Verdict]]] = {
    "changed answer": _changed,
    "requests beside events": _beside,
    "cpu of events": _cpu,
    "collector: batches": _batches,
    "collector: batches at half": _batches_at_half,
    "collector: single events": _singles,
    "zipped zeros": _zeros,
    "stream functions": lambda _row: [],
    "collector to Kafka": lambda _row: [],
    "freshness through Kafka": lambda _row: [],
    "changed answer through Kafka": lambda _row: [],
    "stream on Spark": lambda _row: [],
}

SHOWN = {
    "not_run": "not run",
    "event_rate": "events a second beside",
    "predict_rate": "requests a second beside",
    "p99_ms_interval": "p99 ms, 95 % interval",
    "slowest_ms": "slowest, ms",
    "probes": "events watched",
    "never_changed": "whose list never changed",
    "never_stored": "whose row never came",
    "not_accepted": "not accepted",
    "without_list": "of visits without a list",
    "looks_a_probe": "looks at the list, an event",
    "looks_degraded_share": "looks with a stage that fell back, share",
    "controls": "lists looked at without an event",
    "controls_changed": "of these changed",
    "controls_changed_share": "share",
    "events": "events accepted",
    "events_not_accepted": "events not accepted",
    "events_refused": "events refused",
    "events_doubled": "events sent twice",
    "events_per_second": "events a second",
    "events_per_second_interval": "events a second, 95 % interval",
    "events_per_second_first_half": "of its first half",
    "events_per_second_second_half": "of its second half",
    "batches": "batches",
    "events_accept_p99_ms": "events: until accepted, p99 ms",
    "requests": "requests",
    "requests_failed": "requests that failed",
    "requests_answered": "requests answered",
    "requests_p99_ms": "requests: p99 ms",
    "requests_degraded_share": "requests with a stage that fell back, share",
    "turns": "pairs of turns",
    "p99_ms_without": "p99 ms without events",
    "p99_ms_with": "p99 ms with events",
    "p99_ratio": "ratio",
    "p99_ratio_interval": "ratio, 95 % interval",
    "answered_without": "answers without events",
    "answered_with": "answers with events",
    "degraded_share_without": "without events: lists with a stage that fell back, share",
    "degraded_share_with": "with events: lists with a stage that fell back, share",
    "kafka_behind_s": "until Kafka had all, s",
    "cpu_s_a_thousand": "CPU s a thousand events:",
    "cpu_s_a_thousand_interval": "95 % interval:",
    "slices": "slices of the interval",
    "idle_cores": "cores used without events:",
    "events_a_core_second": "events a second and core",
    "events_a_core_second_interval": "95 % interval",
    "fill_cpu_seconds": "CPU s of filling the state",
    "state_mib": "state, MiB",
    "tries": "tries",
    "refused_share": "refused, share",
    "memory_mib_growth": "memory, growth MiB",
    "cores_used": "cores used:",
    "other_cores_used": "cores used by others",
    "load_average": "load average",
    "send_lag_p99_ms": "load generator late by, p99 ms",
}
"""Keys of a run that the table shows, in this order, and their names there."""


def print_report(console: Console, runs: Sequence[dict[str, Any]], verdicts: Sequence[Verdict]) -> None:
    """One table: figures by run, then goals."""
    print_table(console, "Events", runs, verdicts, SHOWN, where)
