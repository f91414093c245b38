"""What serving is to reach, and whether a run did."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """One goal on one figure; `met` is None when the figure was not measured."""

    goal: str
    where: str
    value: float | None
    limit: str
    met: bool | None


def verdicts(runs: Iterable[Row]) -> list[Verdict]:
    """Every goal that the runs say something about."""
    rows = list(runs)
    found = [verdict for row in rows for verdict in _GOALS_OF[row["scenario"]](row)]
    return found + _growth(rows)


def where(row: Row) -> str:
    """For example `1,000,000 items, http`."""
    clients = f", {row['clients']} client{'s' if row['clients'] > 1 else ''}" if "clients" in row else ""
    return f"{row['items']:,} items, {row.get('protocol', 'http')}{clients}"


def _below(goal: str, row: Row, value: float | None, limit: float, unit: str = "") -> Verdict:
    return Verdict(goal, where(row), value, f"< {limit:g} {unit}".rstrip(), None if value is None else value < limit)


def _at_most(goal: str, row: Row, value: float | None, limit: float, unit: str = "") -> Verdict:
    return Verdict(goal, where(row), value, f"<= {limit:g} {unit}".rstrip(), None if value is None else value <= limit)


def _at_least(goal: str, row: Row, value: float | None, limit: float, unit: str = "") -> Verdict:
    return Verdict(goal, where(row), value, f">= {limit:g} {unit}".rstrip(), None if value is None else value >= limit)


def _steady(row: Row) -> list[Verdict]:
    small = row["items"] <= SMALL_CATALOGUE
    limits = P99_MS | ({"whole": WHOLE_P99_MS_SMALL} if small else {})
    return [
        *(_below(f"{stage} p99", row, row["p99_ms"].get(stage), limit, "ms") for stage, limit in limits.items()),
        _below("endcap's own code, CPU a request", row, row["own_stages_cpu_ms_a_request"], OWN_CPU_MS, "ms"),
        _below("endcap's own code, share of CPU", row, row["own_stages_cpu_share"], OWN_CPU_SHARE),
        _below("transformer memory", row, row["memory_mib"].get("transformer"), TRANSFORMER_MIB, "MiB"),
        _below("ready after", row, row["start_seconds"], READY_SECONDS, "s"),
        _at_most("lists with a stage that fell back", row, row["degraded_share"], DEGRADED_SHARE),
        _at_most("errors", row, row["errors"], 0),
        _at_most("empty lists although an item was eligible", row, row["empty_although_eligible"], 0),
    ]


def _refresh(row: Row) -> list[Verdict]:
    return [_at_most("p99 with item refreshes over without", row, row["p99_ratio"], REFRESH_RATIO)]


def _cached(row: Row) -> list[Verdict]:
    found = [_at_least("cached answers a second and core", row, row["requests_a_core_second"], CACHED_REQUESTS_A_CORE)]
    if row["clients"] == 1:
        found.append(_below("cached answers, whole p99", row, row["p99_ms"].get("whole"), CACHED_P99_MS, "ms"))
    return found


def _overload(row: Row) -> list[Verdict]:
    over = row["over"]
    kept = over["goodput"] / row["capacity_requests_per_second"] if row["capacity_requests_per_second"] else None
    return [
        _at_most("3x overload: accepted, whole p99", row, over["accepted_p99_ms"], row["deadline_ms"], "ms"),
        _at_least("3x overload: goodput of capacity", row, None if kept is None else round(kept, 3), GOODPUT_KEPT),
        _at_least("3x overload: refusals with Retry-After", row, over["retry_after_share"] if over["shed_share"] else None, 1),
        _at_most("3x overload: lost or failed", row, over["lost_share"], 0),
    ]


def _next_event(row: Row) -> list[Verdict]:
    return [
        _at_least("visits whose order stayed without an event", row, row["steady"], row["visits"]),
        _at_least("visits whose next event changed the order", row, row["changed"], row["visits"]),
    ]


def _growth(rows: list[Row]) -> list[Verdict]:
    whole = {row["items"]: row["p99_ms"]["whole"] for row in rows if row["scenario"] == "steady" and row["protocol"] == "http"}
    if SMALL_CATALOGUE not in whole or LARGE_CATALOGUE not in whole:
        return []
    row = {"items": LARGE_CATALOGUE, "protocol": "http"}
    ratio = round(whole[LARGE_CATALOGUE] / whole[SMALL_CATALOGUE], 3)
    return [_at_most(f"whole p99 over that of {SMALL_CATALOGUE:,} items", row, ratio, GROWTH_MAX)]


_GOALS_OF: dict[str, Callable[[Row], list[Verdict]]] = {
    "steady": _steady,
    "one client": lambda _row: [],
    "profile": lambda _row: [],
    "item table refresh": _refresh,
    "answers from cache": _cached,
    "overload": _overload,
    "next event": _next_event,
}
