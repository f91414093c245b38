"""The collector's application, put together from settings."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from platform import node
from random import Random

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from endcap.core.clock import Clock, system_clock
from endcap.core.log import get_logger
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import Settings
from endcap.events.acceptance.acceptance import Acceptance
from endcap.events.acceptance.moments import BACK_MAX
from endcap.events.dead_letters.letters import remove_letters_before
from endcap.events.dead_letters.sealing import Seal, dead_letter_seal, load_seal
from endcap.events.log.durable import DurableLog
from endcap.events.log.kept_ids import require_kept_log
from endcap.events.probes.stations import Station
from endcap_collector.access import Access
from endcap_collector.endpoints import EventsEndpoint, PixelEndpoint
from endcap_collector.intake import Intake
from endcap_collector.items_endpoint import ItemsEndpoint
from endcap_collector.layers import EVENTS_PATH, ITEMS_PATH, PIXEL_PATH, AnswerLayer, Endpoint, OriginLayer
from endcap_collector.metrics import CollectorMetrics
from endcap_collector.openapi import openapi_document
from endcap_collector.probing import Probing
from endcap_collector.rate_limit import RateLimits
from endcap_collector.recent_ids import RecentIds
from endcap_collector.spool.spool import Spool
from endcap_collector.watched_keys import WatchedKeys

_TIDY_SECONDS = 3_600.0
_REMEMBERED = BACK_MAX + timedelta(hours=1)
"""What is older is refused as late when it is sent again; a file is written for an hour at most."""


@dataclass(frozen=True)
class Parts:
    """What the endpoints share."""

    settings: Settings
    events: DurableLog
    letters: DurableLog
    catalogue: DurableLog
    spool: Spool | None
    access: Access
    intake: Intake
    pixel_seal: Seal
    registry: CollectorRegistry
    metrics: CollectorMetrics
    clock: Clock
    probing: Probing


def open_parts(
    settings: Settings, clock: Clock = system_clock, timer: Callable[[], float] = time.monotonic, random: Random | None = None
) -> Parts:
    """Open logs, keys and seals.

    Args:
        settings: all settings.
        clock: the present, UTC.
        timer: monotonic seconds.
        random: of the ids of probes; None for one of the process's own.

    Raises:
        InvalidInput: a file or the Kafka that the settings name cannot be used, or keys are missing where others reach the address.
        DependencyUnavailable: another collector sends from this home to Kafka, or the disk refused.
        DataRejected: ids in the log are kept in another way than the settings say.
    """
    chosen = settings.collector
    registry = CollectorRegistry()
    metrics = CollectorMetrics(registry)
    if settings.events.probe_seconds:
        stations = (Station.DISK, Station.KAFKA) if settings.events.kafka_bootstrap else (Station.DISK,)
        metrics.show_probes(stations, settings.events.probe_seconds, clock)
    is_local = settings.profile == "local"
    keys = WatchedKeys(chosen.keys_file, timer, metrics.keys_ok.set) if chosen.keys_file else None
    access = Access(settings, keys, RateLimits(timer), clock)
    seal = dead_letter_seal(settings, may_make=is_local)
    pixel_seal = load_seal(chosen.pixel_key_file, settings.keys_dir / "pixel.key", "ENDCAP_COLLECTOR__PIXEL_KEY_FILE", may_make=is_local)
    ids = load_person_ids(settings)
    require_kept_log(settings.event_log_dir, ids)
    acceptance = Acceptance.of(settings, ids)
    recent = RecentIds(chosen.remembered_ids)
    recent.remember_log(settings.event_log_dir, clock() - _REMEMBERED)
    spool = Spool(settings, metrics, seal, clock) if settings.events.kafka_bootstrap else None
    events, letters, catalogue = (spool.events, spool.letters, spool.catalogue) if spool else _local_logs(settings, metrics, clock)
    intake = Intake(acceptance=acceptance, events=events, letters=letters, seal=seal, recent=recent, metrics=metrics, clock=clock)
    probing = Probing(node(), events=events, stations=metrics.stations, clock=clock, random=random or Random())
    return Parts(settings, events, letters, catalogue, spool, access, intake, pixel_seal, registry, metrics, clock, probing)


def _local_logs(settings: Settings, metrics: CollectorMetrics, clock: Clock) -> tuple[DurableLog, DurableLog, DurableLog]:
    """Events, dead letters and changes of items where they stay."""
    observe = metrics.sync_seconds.observe
    return (
        DurableLog(settings.event_log_dir, clock=clock, observe=observe),
        DurableLog(settings.dead_letter_dir, clock=clock),
        DurableLog(settings.catalogue_log_dir, clock=clock, observe=observe),
    )


def make_app(parts: Parts) -> ASGIApp:
    """The application; what it opened is closed when it ends."""
    settings = parts.settings.collector
    document = openapi_document()

    async def health(_: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(_: Request) -> Response:
        is_ready = await parts.events.is_taken() and await parts.letters.is_taken() and await parts.catalogue.is_taken()
        return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(parts.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    async def described(_: Request) -> Response:
        return JSONResponse(document)

    routes = [
        Route(EVENTS_PATH, Endpoint(EventsEndpoint(settings, parts.access, parts.intake)), methods=["POST"]),
        Route(ITEMS_PATH, Endpoint(ItemsEndpoint(settings, parts.access, parts.catalogue, parts.metrics, parts.clock)), methods=["PUT"]),
        Route(PIXEL_PATH, Endpoint(PixelEndpoint(parts.pixel_seal, parts.intake, parts.clock)), methods=["GET"]),
        Route("/healthz", health),
        Route("/readyz", ready),
        Route("/metrics", metrics),
        Route("/openapi.json", described),
    ]
    # Not Starlette itself, which answers what an endpoint raises before AnswerLayer sees it.
    inner = Router(routes=routes, default=_nothing_here, lifespan=lambda _: _running(parts))
    answered = AnswerLayer(inner, parts.metrics, settings.requests_max, settings.retry_after_seconds)
    return OriginLayer(answered, parts.access)


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        await send({"type": "websocket.close", "code": 1000})
        return
    await JSONResponse({"error": "there is nothing at this path"}, 404)(scope, receive, send)


@asynccontextmanager
async def _running(parts: Parts) -> AsyncIterator[None]:
    beside = [asyncio.create_task(_tidy(parts))]
    if every_seconds := parts.settings.events.probe_seconds:
        beside.append(asyncio.create_task(parts.probing.run(every_seconds)))
    if parts.spool is not None:
        parts.spool.start()
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        # Before the logs: what is too large for Kafka still becomes a dead letter.
        if parts.spool is not None:
            await parts.spool.close()
        await asyncio.gather(parts.events.close(), parts.letters.close(), parts.catalogue.close())


async def _tidy(parts: Parts) -> None:
    """Remove dead letters whose time is over, now and every hour."""
    while True:
        before = parts.clock() - timedelta(days=parts.settings.collector.dead_letter_days)
        try:
            await asyncio.to_thread(remove_letters_before, parts.settings.dead_letter_dir, before)
        except OSError as error:
            get_logger("collector").error("old dead letters not removed", reason=str(error))
        await asyncio.sleep(_TIDY_SECONDS)
