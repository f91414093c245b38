"""A stretch of load as figures: percentiles by stage, throughput, errors, CPU by process."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from endcap_benchmarks.report_table import PERCENTILES
from endcap_benchmarks.serving.load.plan import Exchange
from endcap_benchmarks.serving.stage import Stretch
from endcap_benchmarks.serving.usage import LOAD, Usage

WHOLE = "whole"
TRANSFORMER = "transformer"
OK = 200
SHED = (429, 503)


def summary(stretch: Stretch) -> dict[str, Any]:
    """Figures of one stretch; percentiles are over answered requests, by stage and of the `whole` as the client saw it."""
    answered = [each for each in stretch.exchanges if each.status == OK]
    return {
        "requests": len(stretch.exchanges),
        "answered": len(answered),
        "requests_per_second": round(len(answered) / stretch.usage.seconds, 2),
        **percentiles(answered),
        "statuses": statuses(stretch.exchanges),
        "errors": sum(each.status not in (OK, *SHED) for each in stretch.exchanges),
        "shed_share": share(sum(each.status in SHED for each in stretch.exchanges), len(stretch.exchanges)),
        "degraded_share": share(sum(bool(each.degraded) for each in answered), len(answered)),
        "degraded": dict(Counter(stage for each in answered for stage in each.degraded or ())),
        "empty_lists": sum(each.timings_ms is not None and not each.items for each in answered),
        "send_lag_p50_ms": _lag_ms(stretch.exchanges, 50),
        "send_lag_p99_ms": _lag_ms(stretch.exchanges, 99),
        "whole_p99_ms_by_kind": _by_kind(answered),
        **cpu_figures(stretch.usage, max(len(answered), 1)),
    }


def statuses(exchanges: Sequence[Exchange]) -> dict[str, int]:
    """How many requests got each status."""
    return {str(status): count for status, count in sorted(Counter(each.status for each in exchanges).items())}


def percentiles(answered: Sequence[Exchange]) -> dict[str, dict[str, float]]:
    """`p50_ms`, `p95_ms` and `p99_ms`, each by stage."""
    stages: dict[str, list[float]] = {WHOLE: [each.took_ms for each in answered]}
    for each in answered:
        for stage, took_ms in (each.timings_ms or {}).items():
            stages.setdefault(stage, []).append(took_ms)
    return {
        name: {stage: round(float(np.percentile(values, at)), 3) for stage, values in stages.items() if values}
        for name, at in PERCENTILES.items()
    }


def cpu_figures(usage: Usage, requests: int) -> dict[str, Any]:
    """CPU by process and a request.

    `own_cpu_share` counts the whole transformer process as endcap's own code, which is too much: KServe, uvicorn, gRPC and the feature
    store's client run in it. `own_stages_cpu_share` is what endcap's stages measured of themselves. Neither counts the load generator.
    """
    served = {name: seconds for name, seconds in usage.cpu_s.items() if name != LOAD}
    total = sum(served.values()) or 1.0
    own = usage.own_s
    return {
        "cpu_ms_a_request": {name: round(seconds * 1000 / requests, 3) for name, seconds in usage.cpu_s.items()},
        "own_stages_cpu_ms_a_request": None if own is None else round(own * 1000 / requests, 3),
        "own_cpu_share": round(served.get(TRANSFORMER, 0.0) / total, 4),
        "own_stages_cpu_share": None if own is None else round(own / total, 4),
        "cores_used": {name: round(seconds / usage.seconds, 3) for name, seconds in usage.cpu_s.items()},
        "other_cores_used": round(usage.other_cpu_s / usage.seconds, 3),
        "load_average": round(usage.load_average, 2),
    }


def share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _lag_ms(exchanges: Sequence[Exchange], at: int) -> float:
    """How late the load generator itself was."""
    lags = [(each.sent_s - each.due_s) * 1000 for each in exchanges]
    return round(float(np.percentile(lags, at)), 3) if lags else 0.0


def _by_kind(answered: Sequence[Exchange]) -> dict[str, float]:
    kinds: dict[str, list[float]] = {}
    for each in answered:
        kinds.setdefault(each.kind, []).append(each.took_ms)
    return {kind: round(float(np.percentile(values, 99)), 2) for kind, values in sorted(kinds.items())}
