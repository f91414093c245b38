"""The real server around made-up answers, as a process of its own."""

import asyncio

import uvloop
from prometheus_client import REGISTRY

from endcap.core.log import configure_logging
from endcap.core.settings import ResilienceSettings, ServingSettings, Settings
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.draining import exit_soon
from endcap_transformer.server.kserve_server import BoundModelServer
from endcap_transformer.server.server import bridge_logs
from tests.transformers.canned import CannedModel


def serve(serving: ServingSettings, resilience: ResilienceSettings, takes_s: float) -> None:
    """Serve until told to stop.

    Args:
        serving: ports.
        resilience: limits and times.
        takes_s: how long a list takes.
    """
    configure_logging("INFO", "json")
    bridge_logs()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(Settings(serving=serving, resilience=resilience), takes_s))


async def _serve(settings: Settings, takes_s: float) -> None:
    canned = CannedModel(takes_s, registry=REGISTRY)
    await BoundModelServer(settings, canned.metrics, ConcurrencyLimit(settings.resilience.in_flight_max)).serve(canned.model)
    exit_soon()
