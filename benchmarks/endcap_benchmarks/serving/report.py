"""The serving benchmark's goals, and what its table shows."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console

from endcap_benchmarks.report_table import Row, print_table
from endcap_benchmarks.verdict import Verdict, at_least, at_most, below

SMALL_CATALOGUE = 100_000
LARGE_CATALOGUE = 1_000_000
P99_MS = {"retrieval": 10.0, "rank": 20.0, "rules": 5.0, "whole": 50.0}
WHOLE_P99_MS_SMALL = 30.0
OWN_CPU_MS = 2.0
OWN_CPU_SHARE = 0.20
GROWTH_MAX = 1.5
TRANSFORMER_MIB = 1_536.0
READY_SECONDS = 30.0
DEGRADED_SHARE = 0.01
REFRESH_RATIO = 1.10
CACHED_REQUESTS_A_CORE = 1_000.0
CACHED_P99_MS = 5.0
GOODPUT_KEPT = 0.8
BESIDE_BULK_RATIO = 1.25
WHOLE_KEPT = 0.95


def verdicts(runs: Iterable[Row]) -> list[Verdict]:
    """Every goal that the runs say something about."""
    rows = list(runs)
    found = [verdict for row in rows for verdict in _GOALS_OF[row["scenario"]](row)]
    return found + _growth(rows)


def where(row: Row) -> str:
    """For example `1,000,000 items, http`."""
    clients = f", {row['clients']} client{'s' if row['clients'] > 1 else ''}" if "clients" in row else ""
    return f"{row['items']:,} items, {row.get('protocol', 'http')}{clients}"


def _steady(row: Row) -> list[Verdict]:
    small = row["items"] <= SMALL_CATALOGUE
    limits = P99_MS | ({"whole": WHOLE_P99_MS_SMALL} if small else {})
    return [
        *(below(f"{stage} p99", where(row), row["p99_ms"].get(stage), limit, "ms") for stage, limit in limits.items()),
        below("endcap's own code, CPU a request", where(row), row["own_stages_cpu_ms_a_request"], OWN_CPU_MS, "ms"),
        below("endcap's own code, share of CPU", where(row), row["own_stages_cpu_share"], OWN_CPU_SHARE),
        below("transformer memory", where(row), row["memory_mib"].get("transformer"), TRANSFORMER_MIB, "MiB"),
        below("ready after", where(row), row["start_seconds"], READY_SECONDS, "s"),
        at_most("lists with a stage that fell back", where(row), row["degraded_share"], DEGRADED_SHARE),
        at_most("errors", where(row), row["errors"], 0),
        at_most("empty lists although an item was eligible", where(row), row["empty_although_eligible"], 0),
    ]


def _refresh(row: Row) -> list[Verdict]:
    return [at_most("p99 with item refreshes over without", where(row), row["p99_ratio"], REFRESH_RATIO)]


def _cached(row: Row) -> list[Verdict]:
    found = [at_least("cached answers a second and core", where(row), row["requests_a_core_second"], CACHED_REQUESTS_A_CORE)]
    if row["clients"] == 1:
        found.append(below("cached answers, whole p99", where(row), row["p99_ms"].get("whole"), CACHED_P99_MS, "ms"))
    return found


def _overload(row: Row) -> list[Verdict]:
    over = row["over"]
    kept = over["goodput"] / row["capacity_requests_per_second"] if row["capacity_requests_per_second"] else None
    return [
        at_most("3x overload: accepted, whole p99", where(row), over["accepted_p99_ms"], row["deadline_ms"], "ms"),
        at_least("3x overload: goodput of capacity", where(row), None if kept is None else round(kept, 3), GOODPUT_KEPT),
        at_least("3x overload: refusals with Retry-After", where(row), over["retry_after_share"] if over["shed_share"] else None, 1),
        at_most("3x overload: lost or failed", where(row), over["lost_share"], 0),
    ]


def _bulk(row: Row) -> list[Verdict]:
    alone, beside = row["singles_whole_share_alone"], row["singles_whole_share_beside"]
    return [
        at_most("single requests' p99 beside bulk over alone", where(row), row["singles_p99_ratio"], BESIDE_BULK_RATIO),
        at_least("whole single lists beside bulk over alone", where(row), round(beside / alone, 3) if alone else None, WHOLE_KEPT),
        at_most("bulk lists with a stage that fell back", where(row), row["bulk_degraded_share"], DEGRADED_SHARE),
        at_most("bulk callers that failed", where(row), len(row["bulk_failed"]), 0),
    ]


def _next_event(row: Row) -> list[Verdict]:
    return [
        at_least("visits whose order stayed without an event", where(row), row["steady"], row["visits"]),
        at_least("visits whose next event changed the order", where(row), row["changed"], row["visits"]),
    ]


def _growth(rows: list[Row]) -> list[Verdict]:
    whole = {row["items"]: row["p99_ms"]["whole"] for row in rows if row["scenario"] == "steady" and row["protocol"] == "http"}
    if SMALL_CATALOGUE not in whole or LARGE_CATALOGUE not in whole:
        return []
    row = {"items": LARGE_CATALOGUE, "protocol": "http"}
    ratio = round(whole[LARGE_CATALOGUE] / whole[SMALL_CATALOGUE], 3)
    return [at_most(f"whole p99 over that of {SMALL_CATALOGUE:,} items", where(row), ratio, GROWTH_MAX)]


_GOALS_OF: dict[str, Callable[[Row], list[Verdict]]] = {
    "steady": _steady,
    "one client": lambda _row: [],
    "profile": lambda _row: [],
    "item table refresh": _refresh,
    "answers from cache": _cached,
    "overload": _overload,
    "next event": _next_event,
    "bulk lists": _bulk,
}


SHOWN = {
    "candidates": "candidates ranked, mean",
    "rules": "rules in force",
    "requests_per_second": "answers a second",
    "requests_a_core_second": "answers a second and core",
    "hit_share": "answered from cache, share",
    "degraded_share": "lists with a stage that fell back, share",
    "degraded": "fell back:",
    "empty_lists": "empty lists",
    "errors": "errors",
    "shed_share": "turned away, share",
    "cpu_ms_a_request": "CPU ms a request:",
    "own_stages_cpu_ms_a_request": "CPU ms a request: endcap's own stages",
    "own_cpu_share": "CPU share of the transformer process",
    "own_stages_cpu_share": "CPU share of endcap's own stages",
    "other_cores_used": "cores used by others",
    "load_average": "load average",
    "memory_mib": "memory MiB:",
    "start_seconds": "start, s",
    "ready_seconds": "ready after s:",
    "send_lag_p99_ms": "load generator late by, p99 ms",
    "p99_ms_without": "p99 ms without refreshes",
    "p99_ms_with": "p99 ms with refreshes",
    "p99_ratio": "ratio",
    "updates": "refreshes",
    "visits": "visits",
    "changed": "visits whose order changed",
    "slowest_ms": "slowest change, ms",
    "capacity_requests_per_second": "capacity, requests a second",
    "over": "3x:",
    "bulk_lists_a_second": "bulk lists a second",
    "bulk_degraded_share": "bulk lists with a stage that fell back, share",
    "singles_p99_ms_alone": "single requests: p99 ms alone",
    "singles_p99_ms_beside": "single requests: p99 ms beside bulk",
    "singles_p99_ratio": "single requests: ratio",
    "singles_whole_share_alone": "single requests: whole lists alone, share",
    "singles_whole_share_beside": "single requests: whole lists beside bulk, share",
    "cpu_ms_by_library": "CPU ms in",
    "cpu_ms_by_own_function": "CPU ms below",
    "cpu_ms_by_innermost": "CPU ms of",
}
"""Keys of a run that the table shows, in this order, and their names there."""


def print_report(console: Console, runs: Sequence[dict[str, Any]], verdicts: Sequence[Verdict]) -> None:
    """One table: figures by run, then goals."""
    print_table(console, "Serving", runs, verdicts, SHOWN, where)
