"""The bulk lane: who makes many lists at once waits for everybody who makes one."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from endcap.contracts.answer import Answer
from endcap.contracts.request import BULK_LANE, Instance
from endcap.core.settings import BulkSettings, CacheSettings, ServingSettings, Settings
from endcap_transformer.bulk.batch import Batch
from endcap_transformer.bulk.gathered_parts import GatheredFeatures, GatheredModel, GatheredSearch, ManySearch, UncachedQueryEncoder
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.features import OnlineRead
from endcap_transformer.path.request_path import ListPurpose, PathParts, RequestPath
from endcap_transformer.path.sources.registry import remote_sources
from endcap_transformer.path.sources.source import Find
from endcap_transformer.path.surface_plan import SurfacePlan
from endcap_transformer.resilience.admission import Admission, Overloaded
from endcap_transformer.resilience.guards import BoundedThreads, Guards
from endcap_transformer.resilience.stale_answers import StaleAnswers

READ_THREADS = 2
"""One batch reads at a time; a read that hangs leaves a thread for the next."""


class BulkLane:
    """Makes the lists of large requests in batches, one batch at a time.

    Batches of several requests take turns. Lists have a budget, circuits and places of their own, so that nothing that happens to them
    says anything about a shopper's request; and they take the event loop in single steps, when no shopper waits or after some patience.

    Args:
        parts: of the path that shoppers' requests take.
        store: the online store.
        search: the vector search.
        admission: knows whether a shopper waits.
    """

    def __init__(self, parts: PathParts, store: OnlineRead, search: ManySearch, admission: Admission) -> None:
        settings = parts.settings
        self._settings: BulkSettings = settings.bulk
        self._store, self._search = store, search
        self._admission = admission
        self._waiting = 0
        self._threads = BoundedThreads("bulk_features", READ_THREADS, READ_THREADS)
        self._batches, self._steps = asyncio.Lock(), asyncio.Lock()
        resilience = settings.resilience.model_copy(update={"bulkhead_calls": self._settings.lists_together})
        self._parts = replace(
            parts,
            settings=_unhurried(settings),
            plans={name: _without_deadlines(plan, settings.bulk.list_budget_ms) for name, plan in parts.plans.items()},
            guards=Guards(resilience, parts.metrics, lane=BULK_LANE),
            stale=StaleAnswers(CacheSettings(stale_seconds=0, stale_entries=1), parts.metrics.cache("bulk_stale_answers")),
        )

    def takes(self, lists: int, lane: str | None) -> bool:
        """Whether a request belongs here: it says so, or has many lists."""
        return lane == BULK_LANE or lists > self._settings.lists_over

    async def answers(
        self,
        instances: Sequence[Instance],
        served: ServedBundle,
        ids: Sequence[str],
        before_ms: float,
        purpose: ListPurpose = ListPurpose.BULK,
    ) -> list[Answer]:
        """One answer an instance.

        Args:
            instances: valid ones, whose surfaces are known.
            served: the bundle that answers.
            ids: of each list.
            before_ms: what passed since the request came.
            purpose: whether somebody sees them now.

        Raises:
            Overloaded: as many requests as may wait do.
        """
        if self._waiting >= self._settings.requests_max:
            raise Overloaded
        self._waiting += 1
        self._parts.metrics.bulk_waiting.set(self._waiting)
        try:
            made: list[Answer] = []
            size = self._settings.lists_together
            for start in range(0, len(instances), size):
                async with self._batches:
                    part = slice(start, start + size)
                    made += await self._batch(instances[part], served, ids[part], before_ms, purpose)
            return made
        finally:
            self._waiting -= 1
            self._parts.metrics.bulk_waiting.set(self._waiting)

    async def _batch(
        self, instances: Sequence[Instance], served: ServedBundle, ids: Sequence[str], before_ms: float, purpose: ListPurpose
    ) -> list[Answer]:
        batch = Batch(self._turn)
        path = self._path(batch)
        plans = path.plans(instances)
        return await batch.run(
            [
                path.recommend(instance, plan, served, own_id, before_ms, purpose)
                for instance, plan, own_id in zip(instances, plans, ids, strict=True)
            ]
        )

    def _path(self, batch: Batch) -> RequestPath:
        model = GatheredModel(batch, self._parts.model)
        remote = remote_sources(GatheredSearch(batch, self._search), self._settings.list_budget_ms)
        return RequestPath(
            replace(
                self._parts,
                plans={name: _calling(plan, remote) for name, plan in self._parts.plans.items()},
                features=GatheredFeatures(batch, self._store, self._threads),
                encoder=UncachedQueryEncoder(model),
                model=model,
            )
        )

    def close(self) -> None:
        self._threads.close()

    async def _turn(self) -> None:
        async with self._steps:
            await self._admission.quiet(self._settings.patience_ms / 1000)


def _unhurried(settings: Settings) -> Settings:
    """The settings with the bulk lane's budget in the place of a shopper's."""
    budget_ms = settings.bulk.list_budget_ms
    serving: ServingSettings = settings.serving.model_copy(
        update={
            "request_budget_ms": budget_ms,
            "features_timeout_ms": budget_ms,
            "retrieval_timeout_ms": budget_ms,
            "rank_timeout_ms": budget_ms,
        }
    )
    return settings.model_copy(update={"serving": serving})


def _calling(plan: SurfacePlan, remote: Mapping[str, Find]) -> SurfacePlan:
    """With these in the place of its sources that call another part."""
    return replace(plan, sources=tuple(replace(source, find=remote.get(source.name, source.find)) for source in plan.sources))


def _without_deadlines(plan: SurfacePlan, deadline_ms: float) -> SurfacePlan:
    return replace(plan, sources=tuple(replace(source, deadline_ms=deadline_ms) for source in plan.sources))
