"""A request path whose answers are made up, for what stands around it."""

import asyncio
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from endcap.contracts.answer import Answer, Recommendation
from endcap.contracts.request import Instance
from endcap.core.settings import CacheSettings
from endcap_transformer.resilience.answer_cache import AnswerCache
from endcap_transformer.server.model import RecommendationModel
from endcap_transformer.telemetry.metrics import ServingMetrics


class CannedPath:
    """Takes a while, then answers with as many items as asked for; `degraded` and `fails` are what the next answers have."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.degraded: list[str] = []
        self.fails: Exception | None = None
        self.asked: list[tuple[Instance, str]] = []
        self.finished = 0

    def plans(self, instances: Any) -> list[None]:
        """Every surface is known."""
        return [None for _ in instances]

    def wanted(self, instance: Instance) -> int:
        return instance.k

    async def recommend(self, instance: Instance, plan: None, served: Any, request_id: str, parsed_ms: float = 0.0, *_: object) -> Answer:
        self.asked.append((instance, request_id))
        await asyncio.sleep(self.takes_s)
        self.finished += 1
        if self.fails is not None:
            raise self.fails
        places = range(1, instance.k + 1)
        return Answer(
            recommendations=[
                Recommendation(item_id=f"I{n}", score=1 / n, source="popular", reason='Often "bought"', position=n, title=f"Ä {n}")
                for n in places
            ],
            request_id=request_id,
            bundle=served.name,
            variant="default",
            degraded=self.degraded,
            ignored=[],
            timings_ms={"rank": 1.5, "total": round(2 + parsed_ms, 3)},
        )


class CannedModel:
    """The real model and answer cache around a canned path."""

    def __init__(
        self, takes_s: float = 0.0, clock: Any = None, registry: CollectorRegistry | None = None, name: str = "endcap", **cache: Any
    ) -> None:
        self.path = CannedPath(takes_s)
        self.registry = registry or CollectorRegistry()
        self.metrics = ServingMetrics(self.registry)
        self.holder = SimpleNamespace(current=SimpleNamespace(name="endcap-1"))
        self.hits: list[tuple[str, str]] = []
        extra = {"clock": clock} if clock else {}
        self.cache = AnswerCache(
            CacheSettings(**cache),
            self.metrics,
            lambda: self.holder.current and self.holder.current.name,
            lambda shared, request_id: self.hits.append((shared.answers[0].request_id, request_id)),
            **extra,
        )
        self.model = RecommendationModel(name, self.path, self.holder, self.cache)

    def looked_up(self, outcome: str) -> float:
        return self.registry.get_sample_value("endcap_cache_lookups_total", {"cache": "answers", "outcome": outcome})
