"""Probes of the way of events, seen from where requests read visits; in a thread of its own, never with a request."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.events.probes.stations import ProbeStations, Station
from endcap.features.store.probe_row import VisitRead, newest_probe

LOOKS_A_PROBE = 10
"""So that the delay that is shown is the probe's, not that of the look."""


async def watch_probes(store: VisitRead, stations: ProbeStations, every_seconds: float) -> None:
    """Note the newest probe that the online store has; until it is cancelled. A store that is away is what a missing probe shows.

    Args:
        store: as requests read it.
        stations: where it is noted.
        every_seconds: between two probes.
    """
    loop, is_away = asyncio.get_running_loop(), False
    with ThreadPoolExecutor(1, thread_name_prefix="probe") as thread:
        while True:
            try:
                made_at = await loop.run_in_executor(thread, newest_probe, store)
            except DependencyUnavailable as error:
                if not is_away:
                    get_logger("transformer").warning("no probe can be read; tried again", reason=error.message)
                is_away = True
            else:
                is_away = False
                if made_at is not None:
                    stations.note(Station.TRANSFORMER, made_at)
            await asyncio.sleep(every_seconds / LOOKS_A_PROBE)
