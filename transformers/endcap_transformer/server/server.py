"""The transformer's process: connect, load the served bundle, warm up, then serve."""

import asyncio
import gc
import logging
import math
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any

import uvloop
from prometheus_client import REGISTRY, disable_created_metrics

from endcap.cli.output import report_failure
from endcap.contracts.request import Consent, Instance, Surface
from endcap.core.clock import system_clock
from endcap.core.errors import EndcapError
from endcap.core.log import configure_logging, get_logger
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import Settings, load_settings
from endcap.core.standard_logging import bridge_standard_logging
from endcap.core.tensorflow_serving.messages import serving_messages
from endcap.core.thread_turns import take_short_turns
from endcap.engine.exploration.policies import policy_of
from endcap.engine.surfaces.surface import load_surfaces
from endcap.events.log.open import open_event_log
from endcap.events.log.queued import QueuedEventLog
from endcap.release.bundle.promotion import MODEL_FOLDER, served_bundle
from endcap_transformer.bulk.lane import BulkLane
from endcap_transformer.clients.connections import MilvusIndex, open_online_store, wait_for_milvus
from endcap_transformer.clients.model_server_client import ModelServerClient
from endcap_transformer.live.bundle_watch import BundleHolder, await_promoted, watch_bundle
from endcap_transformer.live.live_changes import LiveChanges
from endcap_transformer.live.probe_watch import watch_probes
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.features import FeatureReader, OnlineRead
from endcap_transformer.path.impressions import ImpressionLog
from endcap_transformer.path.query import CachedQueryEncoder
from endcap_transformer.path.request_path import ListPurpose, PathParts, RequestPath
from endcap_transformer.path.slate import ExplorationConfig
from endcap_transformer.path.sources.registry import source_registry
from endcap_transformer.path.sources.two_tower import NearestSearch
from endcap_transformer.path.surface_plan import surface_plans
from endcap_transformer.resilience.answer_cache import AnswerCache
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.resilience.guards import Guards
from endcap_transformer.resilience.stale_answers import StaleAnswers
from endcap_transformer.server.draining import exit_soon
from endcap_transformer.server.kserve_server import BoundModelServer
from endcap_transformer.server.model import RecommendationModel
from endcap_transformer.telemetry.metrics import ServingMetrics
from endcap_transformer.telemetry.tracing import Tracing

WARM_UP_LISTS = 20
WAIT_SECONDS = 90.0
"""All parts start together; the slowest imports TensorFlow."""
LOG_LEVELS = {
    "kserve": logging.WARNING,
    "kserve.trace": logging.ERROR,
    "uvicorn": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
    "opentelemetry": logging.ERROR,
}


class Transformer:
    """The parts of one transformer, put together inside the running event loop.

    Args:
        settings: all settings.
        store: the online feature store.
        wait_s: how long parts that are still starting are waited for.
    """

    def __init__(self, settings: Settings, store: OnlineRead, wait_s: float) -> None:
        self._settings = settings
        self._store = store
        self._wait_s = wait_s
        self._metrics = ServingMetrics(REGISTRY)
        self._metrics.request_budget.set(settings.serving.request_budget_ms / 1000)
        self._index = MilvusIndex(settings.milvus)
        self._client = ModelServerClient(serving_messages(), settings.model_server, MODEL_FOLDER)
        self._log = open_event_log(settings, self._metrics.dropped_impressions.inc, self._metrics.unframed_impressions.inc)
        self._metrics.queued_impressions.set_function(self._log.waiting)
        self._features = FeatureReader(store, settings, self._metrics)
        self._parts = path_parts(settings, self._features, self._index, self._client, self._log, self._metrics)
        self._path = RequestPath(self._parts)
        self._holder = BundleHolder()
        self._live = LiveChanges(settings, self._holder, self._metrics)
        self._tracing = Tracing.from_settings(settings, "transformer")

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            EndcapError: there is no sound bundle, or Milvus or the model server cannot answer with it.
        """
        self._put(await self._first_bundle())
        _log_start(self._holder.current)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._close)
            promoted = watch_bundle(self._holder, self._settings.served_dir, self.prepare, self._put, count=self._count_switch)
            for watching in (promoted, *self._live.watchers(), *self._probe_watchers()):
                stack.push_async_callback(_cancelled, asyncio.create_task(watching))
            cache = AnswerCache(self._settings.cache, self._metrics, self._revision, self._parts.impressions.log_shared)
            name, ids = self._settings.serving.model_name, load_person_ids(self._settings)
            server = BoundModelServer(self._settings, self._metrics, self._parts.limit)
            bulk = BulkLane(self._parts, self._store, self._index, server.admission)
            stack.callback(bulk.close)
            await server.serve(RecommendationModel(name, self._path, self._holder, cache, self._tracing, ids, bulk))
        exit_soon()

    def _probe_watchers(self) -> Iterator[Coroutine[Any, Any, None]]:
        every_seconds = self._settings.events.probe_seconds
        stations = self._metrics.show_probes(every_seconds, system_clock)
        if every_seconds:
            yield watch_probes(self._store, stations, every_seconds)

    async def prepare(self) -> ServedBundle:
        """Load the promoted bundle beside the one that answers, and return when every part has answered with it.

        Raises:
            DependencyUnavailable: a part cannot answer with it yet.
        """
        bundle = await await_promoted(self._settings.served_dir, self._index, self._client, self._wait_s)
        return await self._made_ready(await asyncio.to_thread(self._live.load, bundle))

    async def _first_bundle(self) -> ServedBundle:
        """The same at the start: tables are read first, while the other parts are still starting too."""
        bundle = await asyncio.to_thread(served_bundle, self._settings.served_dir)
        served = await asyncio.to_thread(self._live.load, bundle)
        await asyncio.to_thread(self._index.check, served.manifest.collection)
        await self._client.wait_until_available(served.manifest.version, self._wait_s)
        return await self._made_ready(served)

    async def _made_ready(self, served: ServedBundle) -> ServedBundle:
        await self._warm_up(served)
        gc.collect()
        gc.freeze()  # the catalogue's strings and dictionaries live as long as the bundle; a collection that walks them costs tens of ms
        return served

    def _put(self, served: ServedBundle) -> None:
        """Answer with a bundle from now on."""
        manifest = served.manifest
        self._holder.current = served
        data_end_s = manifest.data_end.timestamp() if served.replay_at is None else math.nan  # recorded data does not grow old
        self._metrics.bundle_served(served.name, manifest.version, manifest.collection, data_end_s)
        self._live.bundle_changed()

    def _count_switch(self, outcome: str) -> None:
        self._metrics.bundle_switches.labels(outcome).inc()

    def _revision(self) -> tuple[int, str, int] | None:
        return self._holder.current.revision if self._holder.current else None

    async def _warm_up(self, served: ServedBundle) -> None:
        some_item = served.tables.items.ids.name(1)
        allowed = Consent(personalisation=True)  # so that the feature store is read too
        kinds = (
            Instance(user_id="endcap-warm-up", session_id="endcap-warm-up", consent=allowed),
            Instance(user_id="endcap-warm-up", surface=Surface.PRODUCT.value, item_ids=[some_item], consent=allowed),
        )
        surfaces = self._parts.plans
        for number in range(WARM_UP_LISTS):
            instance = kinds[number % len(kinds)]
            if instance.surface in surfaces:
                (plan,) = self._path.plans([instance])
                await self._path.recommend(instance, plan, served, "warm-up", purpose=ListPurpose.WARM_UP)

    async def _close(self) -> None:
        await self._client.close()
        await self._index.close()
        self._features.close()
        await asyncio.to_thread(self._tracing.close)
        await asyncio.to_thread(self._log.close)


def path_parts(  # noqa: PLR0917
    settings: Settings,
    features: FeatureReader,
    search: NearestSearch,
    model: ModelServerClient,
    log: QueuedEventLog,
    metrics: ServingMetrics,
) -> PathParts:
    """Make what all requests of a process share.

    Args:
        settings: all settings.
        features: reads the online feature store.
        search: the vector search.
        model: client of the model server.
        log: where impressions go.
        metrics: of this process.

    Raises:
        InvalidInput: the surfaces file cannot be used.
    """
    surfaces = load_surfaces(settings.serving.surfaces_file)
    timeout_ms = settings.serving.retrieval_timeout_ms
    return PathParts(
        settings=settings,
        plans=surface_plans(surfaces, source_registry(search, timeout_ms), timeout_ms),
        features=features,
        encoder=CachedQueryEncoder(model, settings.cache, metrics),
        model=model,
        exploration=ExplorationConfig(policy_of(settings.exploration), settings.exploration),
        metrics=metrics,
        guards=Guards(settings.resilience, metrics),
        stale=StaleAnswers(settings.cache, metrics.cache("stale_answers")),
        impressions=ImpressionLog(
            log, system_clock, metrics, settings.consent, settings.serving.service_name or settings.serving.model_name
        ),
        limit=ConcurrencyLimit(settings.resilience.in_flight_max),
    )


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _log_start(served: ServedBundle | None) -> None:
    log = get_logger("transformer")
    if served is None:
        return
    if served.replay_at is None:
        log.info("serving", bundle=served.name, answers_as_of="now")
    else:
        log.info("serving recorded data: answering as of its end", bundle=served.name, answers_as_of=served.replay_at.isoformat())


def bridge_logs() -> None:
    """KServe's, uvicorn's and other libraries' lines through endcap's logger, and no line a request.

    Call before KServe's server is made, which configures logging only where none is.
    """
    bridge_standard_logging("transformer", LOG_LEVELS)
    logging.getLogger("kserve").addHandler(logging.NullHandler())


def main(open_store: Callable[[Settings], OnlineRead] = open_online_store, wait_s: float = WAIT_SECONDS) -> int:
    """Run one transformer; the exit code says how it ended.

    Args:
        open_store: opens the online feature store.
        wait_s: how long Milvus and the model server are waited for.
    """
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        bridge_logs()
        disable_created_metrics()  # type: ignore[no-untyped-call]
        served_bundle(settings.served_dir)
        take_short_turns()
        store = open_store(settings)
        wait_for_milvus(settings.milvus, wait_s)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, store, wait_s))
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    return 0


async def _run(settings: Settings, store: OnlineRead, wait_s: float) -> None:
    await Transformer(settings, store, wait_s).run()
