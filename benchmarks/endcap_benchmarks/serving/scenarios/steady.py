"""Steady load: the mix at a fixed rate, what the goals are about."""

from typing import Any

from endcap_benchmarks.serving.home import QUOTAS
from endcap_benchmarks.serving.load.plan import Protocol
from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.summary import summary
from endcap_benchmarks.serving.usage import candidates_mean, memory_mib, metric, scrape

EMPTY = "endcap_empty_answers_total"


def steady(stage: Stage, protocol: Protocol, rate: float, seconds: float) -> dict[str, Any]:
    """One measured run, after nothing but warm-up."""
    before = scrape(stage.parts.http_port)
    stretch = stage.open_loop(protocol, rate, seconds)
    after = scrape(stage.parts.http_port)
    sizes = memory_mib(stage.parts.processes())
    return {
        "scenario": "steady",
        "items": stage.items,
        "candidates": candidates_mean(before, after),
        "candidates_max": QUOTAS.candidates_max,
        "empty_although_eligible": (metric(after, EMPTY) or 0.0) - (metric(before, EMPTY) or 0.0),
        "rules": metric(after, "endcap_rules_loaded"),
        "protocol": protocol,
        "rate": rate,
        "arrivals": stage.arrivals,
        **summary(stretch),
        "memory_mib": {name: each["rss"] for name, each in sizes.items()},
        "memory_pss_mib": {name: each["pss"] for name, each in sizes.items()},
        "start_seconds": round(stage.parts.start_seconds, 2),
        "ready_seconds": dict(stage.parts.ready_s),
    }


REQUESTS_A_SECOND_MAX = 400


def one_client(stage: Stage, seconds: float) -> dict[str, Any]:
    """The whole mix, every answer computed."""
    stretch = stage.closed_loop(seconds, clients=1, requests_max=round(seconds * REQUESTS_A_SECOND_MAX))
    return {"scenario": "one client", "items": stage.items, "protocol": "http", "clients": 1, **summary(stretch)}
