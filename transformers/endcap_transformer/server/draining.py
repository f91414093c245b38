"""The way out: from SIGTERM on the process is not ready any more, but finishes what it has begun."""

import asyncio
import os
import signal
import threading

from endcap.core.log import get_logger
from endcap.core.settings import ResilienceSettings
from endcap_transformer.telemetry.metrics import ServingMetrics

LEFTOVER_S = 3.0
"""How long threads without a waiter may take, for example in a client of a part that hangs."""


class Draining:
    """Takes SIGTERM and SIGINT in the running event loop. The same signal once more ends the process at once.

    SIGTERM comes from a platform whose load balancers take a moment to notice that readiness has gone, so requests go on coming for
    `unready_seconds`. SIGINT comes from a person, who need not wait for that.

    Args:
        settings: how long each step takes.
        metrics: where it shows.
    """

    def __init__(self, settings: ResilienceSettings, metrics: ServingMetrics) -> None:
        self._settings = settings
        self._gauge = metrics.draining
        self._signalled = asyncio.Event()
        self._signal = signal.SIGTERM
        self._log = get_logger("transformer")

    @property
    def has_begun(self) -> bool:
        """Whether readiness has gone."""
        return self._signalled.is_set()

    def listen(self) -> None:
        """Wait for the signals; belongs to the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self.begin, number)

    def begin(self, number: signal.Signals) -> None:
        """Readiness goes; whoever awaits `signalled` goes on."""
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self._signal = number
        self._gauge.set(1)
        self._signalled.set()
        self._log.info("draining", signal=number.name, unready_seconds=self.unready_s, drain_seconds=self._settings.drain_seconds)

    async def signalled(self) -> None:
        """Return when a signal has come."""
        await self._signalled.wait()

    @property
    def unready_s(self) -> float:
        """How long requests go on being taken after that."""
        return self._settings.unready_seconds if self._signal == signal.SIGTERM else 0.0


def exit_soon() -> None:
    """End the process with code 0 even if a thread hangs: interpreters wait for theirs."""
    timer = threading.Timer(LEFTOVER_S, os._exit, args=(0,))
    timer.daemon = True
    timer.start()
