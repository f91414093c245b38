"""What one request did: time by stage, which stages fell back, and how much of its budget is left."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from endcap.errors import EndcapError
from transformers.bulkhead import BulkheadFull
from transformers.guards import Guard, Guards, Refusal
from transformers.metrics import ServingMetrics

SLOW_SHARE = 0.5
"""A stage that the request's budget cut off counts as slow when it had at least so much of its own time."""
LOOP_LATE_MS = 5.0
"""A deadline that is noticed later than this was missed by a busy process, which says nothing about the dependency."""


class StageTrace:
    """One request's clock.

    Args:
        budget_ms: time the whole request may take before stages are cut short.
        metrics: where stage times are counted.
        guards: asked before every call to another part.
    """

    def __init__(self, budget_ms: float, metrics: ServingMetrics, guards: Guards) -> None:
        self.timings_ms: dict[str, float] = {}
        self.degraded: list[str] = []
        self._start = time.perf_counter()
        self._budget_ms = budget_ms
        self._metrics = metrics
        self._guards = guards

    def elapsed_ms(self) -> float:
        return (time.perf_counter() - self._start) * 1000

    def left_ms(self) -> float:
        """What is left of the request's budget; below zero when it is overdrawn."""
        return self._budget_ms - self.elapsed_ms()

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

    def fallible(self, name: str, timeout_ms: float) -> "FallibleCall":
        """Run a body that asks another part; late or failed, it ends here and its name stands in `degraded`.

        The context manager gives whether the call may be made: False while the circuit is open, the bulkhead full or the budget
        spent. A body that asks nevertheless ends at its first await.

            async with trace.fallible("features", 15) as admitted:
                if admitted:
                    row = await features.read(user_id)
        """
        return FallibleCall(self, self._guards[name], timeout_ms)

    def refuses(self, name: str) -> bool:
        """Whether a call to a part would not be made now, for those who start work before they wait for it."""
        guard = self._guards[name]
        return guard.bulkhead.is_full() or guard.breaker.refuses() or self.left_ms() <= 0

    def skip(self, name: str) -> None:
        """Name a stage that cannot run because an earlier one fell back."""
        if name not in self.degraded:
            self.degraded.append(name)
            self._metrics.fallbacks.labels(name).inc()

    def fall_back(self, name: str, cause: str) -> None:
        """Name a stage that failed, and log why once in a while."""
        self.skip(name)
        self._guards.report(name, cause)

    def finish(self, before_ms: float = 0.0) -> None:
        """Close the clock; `before_ms` passed before it was started."""
        self.timings_ms["total"] = before_ms + self.elapsed_ms()
        self._metrics.stage_seconds.labels("total").observe(self.timings_ms["total"] / 1000)


class FallibleCall:
    """One guarded call, as `StageTrace.fallible` describes it."""

    __slots__ = ("_deadline", "_entry", "_guard", "_left_ms", "_started_ms", "_timeout_ms", "_trace")

    def __init__(self, trace: StageTrace, guard: Guard, timeout_ms: float) -> None:
        self._trace = trace
        self._guard = guard
        self._timeout_ms = timeout_ms

    async def __aenter__(self) -> bool:
        self._started_ms = self._trace.elapsed_ms()
        self._left_ms = min(self._timeout_ms, self._trace.left_ms())
        self._entry = self._guard.enter() if self._left_ms > 0 else Refusal.SPENT
        admitted = not isinstance(self._entry, Refusal)
        self._deadline = asyncio.timeout(self._left_ms / 1000 if admitted else 0)
        await self._deadline.__aenter__()
        return admitted

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        late = False
        try:
            await self._deadline.__aexit__(kind, error, traceback)
        except TimeoutError:
            late = True
        cause = self._entry.value if isinstance(self._entry, Refusal) else self._ended(self._entry, error, late)
        if cause is not None:
            self._trace.fall_back(self._guard.name, cause)
        return late or isinstance(error, Exception)

    def _ended(self, permit: int, error: BaseException | None, late: bool) -> str | None:
        """Give the permit back; why the stage fell back, if it did."""
        self._guard.leave(permit, self._verdict(error, late))
        if late:
            return f"no answer within {self._left_ms:.0f} ms"
        if isinstance(error, EndcapError):
            return str(error)
        return f"{type(error).__name__}: {error}" if isinstance(error, Exception) else None

    def _verdict(self, error: BaseException | None, late: bool) -> bool | None:
        """Whether the dependency did its part; None when this call cannot say."""
        if late:
            took_ms = self._trace.elapsed_ms() - self._started_ms
            own_fault = self._left_ms >= SLOW_SHARE * self._timeout_ms and took_ms - self._left_ms <= LOOP_LATE_MS
            return False if own_fault else None
        if error is None:
            return True
        return False if isinstance(error, Exception) and not isinstance(error, BulkheadFull) else None
