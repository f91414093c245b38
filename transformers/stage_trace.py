"""What one request did: time by stage, which stages fell back, and how much of its budget is left."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from endcap.errors import EndcapError
from endcap.log import get_logger
from transformers.metrics import ServingMetrics

QUIET_SECONDS = 10.0
"""A stage that keeps failing is logged once in this time."""


class FaultLog:
    """Logs the first fault of a stage in a while, not every one."""

    def __init__(self) -> None:
        self._log = get_logger("transformer")
        self._last: dict[str, float] = {}

    def report(self, stage: str, cause: str) -> None:
        now = time.monotonic()
        if now - self._last.get(stage, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._last[stage] = now
            self._log.warning("stage fell back", stage=stage, cause=cause)


class StageTrace:
    """One request's clock.

    Args:
        budget_ms: time the whole request may take before stages are cut short.
        metrics: where stage times are counted.
        faults: where faults are logged.
    """

    def __init__(self, budget_ms: float, metrics: ServingMetrics, faults: FaultLog) -> None:
        self.timings_ms: dict[str, float] = {}
        self.degraded: list[str] = []
        self._start = time.perf_counter()
        self._budget_ms = budget_ms
        self._metrics = metrics
        self._faults = faults

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self._start) * 1000

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage that cannot be late."""
        start = time.perf_counter()
        try:
            yield
        finally:
            took_s = time.perf_counter() - start
            self.timings_ms[name] = self.timings_ms.get(name, 0.0) + took_s * 1000
            self._metrics.stage_seconds.labels(name).observe(took_s)

    @asynccontextmanager
    async def fallible(self, name: str, timeout_ms: float) -> AsyncIterator[None]:
        """Run a body that asks another part; late or failed, it ends here and its name stands in `degraded`."""
        left_ms = min(timeout_ms, self._budget_ms - self.elapsed_ms())
        try:
            async with asyncio.timeout(max(left_ms, 0.0) / 1000):
                yield
        except TimeoutError:
            self._fall_back(name, f"no answer within {max(left_ms, 0.0):.0f} ms")
        except EndcapError as error:
            self._fall_back(name, str(error))
        except Exception as error:  # whatever a client library raises, the request goes on without the stage
            self._fall_back(name, f"{type(error).__name__}: {error}")

    def skip(self, name: str) -> None:
        """Name a stage that cannot run because an earlier one fell back."""
        if name not in self.degraded:
            self.degraded.append(name)
            self._metrics.fallbacks.labels(name).inc()

    def finish(self, before_ms: float = 0.0) -> None:
        """Close the clock; `before_ms` passed before it was started."""
        self.timings_ms["total"] = before_ms + self.elapsed_ms()
        self._metrics.stage_seconds.labels("total").observe(self.timings_ms["total"] / 1000)

    def _fall_back(self, name: str, cause: str) -> None:
        self.skip(name)
        self._faults.report(name, cause)
