"""Answers out of the cache: requests without a person, asked again and again."""

from typing import Any

from endcap_benchmarks.serving.load.mix import K
from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.summary import summary
from endcap_benchmarks.serving.usage import LOAD, metric, scrape

PAGES = 20
WARM_UP_SECONDS = 1.0
HITS = 'endcap_cache_lookups_total{cache="answers",outcome="hit"}'


def cached(stage: Stage, seconds: float, clients: int) -> dict[str, Any]:
    """A start page and product pages for anonymous visitors.

    `requests_a_core_second` counts the CPU seconds of all serving processes, not those of the load generator.
    """
    pages = [{"surface": "home", "k": K}]
    pages += [{"surface": "product", "item_ids": [item], "k": K} for item in stage.population.items[: PAGES - 1]]
    stage.repeated(pages, WARM_UP_SECONDS, clients)
    before = scrape(stage.parts.http_port)
    stretch = stage.repeated(pages, seconds, clients)
    after = scrape(stage.parts.http_port)
    figures = summary(stretch)
    served_s = sum(used for name, used in stretch.usage.cpu_s.items() if name != LOAD)
    return {
        "scenario": "answers from cache",
        "items": stage.items,
        "protocol": "http",
        "clients": clients,
        "requests_a_core_second": round(figures["answered"] / served_s, 1) if served_s else None,
        "hit_share": _hit_share(before, after, figures["answered"]),
        **figures,
    }


def _hit_share(before: str, after: str, answered: int) -> float | None:
    first, last = metric(before, HITS), metric(after, HITS)
    return None if last is None else round((last - (first or 0.0)) / max(answered, 1), 4)
