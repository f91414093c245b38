"""Overload: how much the parts can carry, and what three times as much does to those who are let in."""

from typing import Any

import numpy as np

from endcap_benchmarks.serving.stage import Stage, Stretch
from endcap_benchmarks.serving.summary import OK, SHED, cpu_figures, share

STEP = 1.35
STEPS_MAX = 10
FACTOR = 3.0
LOST_SHARE_MAX = 0.01


def overload(stage: Stage, first_rate: float, step_seconds: float, seconds: float, deadline_ms: float) -> dict[str, Any]:
    """Raise the rate until requests are turned away, lost or late; then send three times the last rate that went well.

    A rate went well when at most one request in a hundred was shed or lost and p99 of the whole met the deadline.
    """
    steps = []
    capacity, rate = 0.0, first_rate
    for _ in range(STEPS_MAX):
        step = _figures(stage.open_loop("http", rate, step_seconds), rate, deadline_ms)
        steps.append(step)
        if not _went_well(step, deadline_ms):
            break
        capacity, rate = rate, rate * STEP
    capacity = capacity or max(step["goodput"] for step in steps)
    over = stage.open_loop("http", FACTOR * capacity, seconds)
    return {
        "scenario": "overload",
        "items": stage.items,
        "protocol": "http",
        "deadline_ms": deadline_ms,
        "capacity_requests_per_second": round(capacity, 1),
        "steps": steps,
        "over": _figures(over, FACTOR * capacity, deadline_ms) | {"cpu": cpu_figures(over.usage, len(over.exchanges))},
    }


def _figures(stretch: Stretch, rate: float, deadline_ms: float) -> dict[str, Any]:
    accepted = [each for each in stretch.exchanges if each.status == OK]
    shed = [each for each in stretch.exchanges if each.status in SHED]
    took_ms = [each.took_ms for each in accepted]
    in_time = sum(took <= deadline_ms for took in took_ms)
    return {
        "rate": round(rate, 1),
        "requests": len(stretch.exchanges),
        "goodput": round(in_time / stretch.usage.seconds, 1),
        "accepted_p50_ms": _percentile(took_ms, 50),
        "accepted_p99_ms": _percentile(took_ms, 99),
        "accepted_in_time_share": share(in_time, len(accepted)),
        "shed_share": share(len(shed), len(stretch.exchanges)),
        "shed_p99_ms": _percentile([each.took_ms for each in shed], 99),
        "retry_after_share": share(sum(each.retry_after for each in shed), len(shed)),
        "lost_share": share(len(stretch.exchanges) - len(accepted) - len(shed), len(stretch.exchanges)),
        "degraded_share": share(sum(bool(each.degraded) for each in accepted), len(accepted)),
        "load_average": round(stretch.usage.load_average, 2),
    }


def _went_well(step: dict[str, Any], deadline_ms: float) -> bool:
    late = step["accepted_p99_ms"] is None or step["accepted_p99_ms"] > deadline_ms
    return not late and step["shed_share"] + step["lost_share"] <= LOST_SHARE_MAX


def _percentile(values: list[float], at: int) -> float | None:
    return round(float(np.percentile(values, at)), 2) if values else None
