"""Probes of the way of events: made here, and sent the way that a taken event goes."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from endcap.contracts.reserved_id import ID_CHARACTERS_MAX
from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.events.log.durable import DurableLog
from endcap.events.probes.line import probe_line
from endcap.events.probes.stations import ProbeStations, Station

Sleep = Callable[[float], Awaitable[object]]


class Probing:
    """Makes a probe again and again.

    Args:
        collector: names this one among others; the key of its messages in Kafka.
        events: the log that taken events go to.
        stations: where it is noted that the disk has one.
        clock: the present, UTC.
        random: of the probes' ids.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        collector: str,
        *,
        events: DurableLog,
        stations: ProbeStations,
        clock: Clock,
        random: Random,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._collector = f"collector {collector}"[:ID_CHARACTERS_MAX]
        self._events, self._stations = events, stations
        self._clock, self._random, self._sleep = clock, random, sleep
        self._is_refused = False

    async def run(self, every_seconds: float) -> None:
        """Make one every so many seconds, the first after as many; until it is cancelled."""
        while True:
            await self._sleep(every_seconds)
            await self.send()

    async def send(self) -> None:
        """Make one; when this returns it is on the disk, or the disk refused it, which the missing probe shows."""
        made_at = self._clock()
        try:
            await self._events.write(probe_line(self._collector, made_at, self._random).encode())
        except DependencyUnavailable as error:
            if not self._is_refused:
                get_logger("collector").warning("a probe was not stored; the next ones are tried", reason=error.message)
            self._is_refused = True
        else:
            self._is_refused = False
            self._stations.note(Station.DISK, made_at)
