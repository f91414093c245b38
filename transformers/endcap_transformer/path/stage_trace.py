"""What one request did: time by stage, which stages fell back, and how much of its budget is left."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType

from endcap.core.errors import CallRefused, EndcapError, InvalidInput
from endcap_transformer.resilience.guards import BulkheadFull, Guard, Guards, Rejection
from endcap_transformer.telemetry.metrics import FallbackCause, ServingMetrics
from endcap_transformer.telemetry.tracing import current_trace

SLOW_SHARE = 0.5
"""A stage that the request's budget cut off counts as slow when it had at least so much of its own time."""
KEPT_SHARE = 0.1
"""Share of the budget kept for what comes after the last call: rules, slate and the answer itself."""
LEFT_MIN_MS = 0.5
"""With less than this left no call is made any more."""
LOOP_LATE_MS = 5.0
"""A deadline that is noticed later than this was missed by a busy process, which says nothing about the dependency."""

NOT_OF_THE_PART = (BulkheadFull, CallRefused, InvalidInput, ValueError, TypeError, LookupError, ArithmeticError)
"""What a call ends in for reasons of its own, such as values that cannot be sent: five such requests must not cut everybody off."""

_OUT_OF_TIME: frozenset[FallbackCause] = frozenset({"late", "budget", "bulkhead_full"})
_REFUSED: dict[Rejection, tuple[FallbackCause, str]] = {
    Rejection.OPEN_CIRCUIT: ("open_circuit", "its circuit is open after failures"),
    Rejection.BULKHEAD_FULL: ("bulkhead_full", "too many calls to it are under way"),
}


class StageTrace:
    """One request's clock.

    Args:
        budget_ms: time the whole request may take before stages are cut short.
        metrics: where stage times are counted.
        guards: admit or reject every call to another part.
        clock: seconds, as exact as can be.
        is_timed: whether its times are counted; those of a list that waits for others say nothing about its stages.
        may_call: whether other parts may be called at all.
    """

    def __init__(
        self,
        budget_ms: float,
        metrics: ServingMetrics,
        guards: Guards,
        clock: Callable[[], float] = time.perf_counter,
        *,
        is_timed: bool = True,
        may_call: bool = True,
    ) -> None:
        self.is_timed = is_timed
        self.may_call = may_call
        self.timings_ms: dict[str, float] = {}
        self.degraded: list[str] = []
        self.is_cut = False
        """Whether time ran out for one of its stages."""
        self.clock = clock
        self._start = clock()
        self.calls_until_ms = (1 - KEPT_SHARE) * budget_ms
        self.spans = current_trace()
        self._metrics = metrics
        self._guards = guards

    def elapsed_ms(self) -> float:
        return (self.clock() - self._start) * 1000

    def left_ms(self) -> float:
        """What calls may still take of the request's budget; below zero when it is overdrawn."""
        return self.calls_until_ms - self.elapsed_ms()

    def stage(self, name: str) -> "StageTimer":
        """Time a stage that cannot be late; parts of one name add up."""
        return StageTimer(self, name)

    def fallible(self, name: str, timeout_ms: float) -> "FallibleCall":
        """Run a body that calls another part; late or failed, it ends here and its name stands in `degraded`.

        The context manager gives whether the call may be made: False while the circuit is open, the bulkhead full or the budget
        spent. A body that calls nevertheless ends at its first await.

            async with trace.fallible("features", 15) as admitted:
                if admitted:
                    row = await features.read(user_id)
        """
        return FallibleCall(self, self._guards[name], timeout_ms)

    def skip(self, name: str) -> None:
        """Name a stage that cannot run because an earlier one fell back."""
        self._degrade(name, "skipped")

    def fall_back(self, name: str, cause: FallbackCause, why: str) -> None:
        """Name a stage that fell back, and log why once in a while."""
        self._degrade(name, cause)
        self._guards.report(name, why)

    def finish(self, before_ms: float = 0.0) -> None:
        """Close the clock; `before_ms` passed before it was started."""
        self.timings_ms["total"] = before_ms + self.elapsed_ms()
        if self.is_timed:
            self._metrics.observe_stages(self.timings_ms)

    def _degrade(self, name: str, cause: FallbackCause) -> None:
        if name not in self.degraded:
            self.degraded.append(name)
            self.is_cut = self.is_cut or cause in _OUT_OF_TIME
            self._metrics.fallback(name if self.is_timed else f"bulk_{name}", cause)
            self.spans.fell_back(name, cause)


class StageTimer:
    """One stretch of a stage's time, as `StageTrace.stage` describes it."""

    __slots__ = ("_name", "_span", "_start", "_trace")

    def __init__(self, trace: StageTrace, name: str) -> None:
        self._trace = trace
        self._name = name

    def __enter__(self) -> None:
        spans = self._trace.spans
        self._span = spans.stage(self._name).__enter__() if spans.is_sampled else None
        self._start = self._trace.clock()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._span is not None:
            self._span.__exit__(kind, error, traceback)
        timings = self._trace.timings_ms
        timings[self._name] = timings.get(self._name, 0.0) + (self._trace.clock() - self._start) * 1000


class FallibleCall:
    """One guarded call, as `StageTrace.fallible` describes it."""

    __slots__ = ("_cancelling", "_entry", "_expired", "_guard", "_left_ms", "_started_ms", "_task", "_timeout_ms", "_timer", "_trace")

    def __init__(self, trace: StageTrace, guard: Guard, timeout_ms: float) -> None:
        self._trace = trace
        self._guard = guard
        self._timeout_ms = timeout_ms
        self._started_ms = -1.0
        self._expired = False

    def admit(self) -> bool:
        """Take the place and start the deadline now, for a call that goes out before it is waited for.

        The context manager has to be entered in any case: it waits, and gives the place back.

            search = trace.fallible("two_tower", 25)
            found = start_search() if search.admit() else None
            ...
            async with search:
                if found is not None:
                    by_source["two_tower"] = await found
        """
        self._started_ms = self._trace.elapsed_ms()
        self._left_ms = min(self._timeout_ms, self._trace.calls_until_ms - self._started_ms)
        may_call = self._trace.may_call and self._left_ms >= LEFT_MIN_MS
        self._entry: int | Rejection | None = self._guard.enter() if may_call else None
        return isinstance(self._entry, int)

    async def __aenter__(self) -> bool:
        if self._started_ms < 0:
            self.admit()
            left_ms = self._left_ms
        else:
            left_ms = self._started_ms + self._left_ms - self._trace.elapsed_ms()
        admitted = isinstance(self._entry, int)
        self._start_timer(left_ms / 1000 if admitted and left_ms > 0 else 0)
        return admitted

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        self._timer.cancel()
        late = self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError
        if isinstance(self._entry, int):
            self._ended(self._entry, error, late)
        else:
            self._trace.fall_back(self._guard.name, *self._refusal(self._entry))
        return late or isinstance(error, Exception)

    def _refusal(self, entry: Rejection | None) -> tuple[FallbackCause, str]:
        if entry is not None:
            return _REFUSED[entry]
        return ("budget", "no time was left for it") if self._trace.may_call else ("no_place", "the request found no place")

    def _start_timer(self, after_s: float) -> None:
        """What `asyncio.timeout` does, at a third of its cost."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a fallible call belongs into a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = task.get_loop().call_later(after_s, self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    def _ended(self, permit: int, error: BaseException | None, late: bool) -> None:
        self._guard.leave(permit, self._verdict(error, late))
        fall_back, name = self._trace.fall_back, self._guard.name
        match error:
            case _ if late:
                own = self._left_ms >= self._timeout_ms
                fall_back(name, "late" if own else "budget", f"no answer within {self._left_ms:.0f} ms")
            case BulkheadFull():
                fall_back(name, "bulkhead_full", str(error))
            case EndcapError():
                fall_back(name, "failed", str(error))
            case Exception():  # whatever a client library raises, the request goes on without the stage
                fall_back(name, "failed", f"{type(error).__name__}: {error}")

    def _verdict(self, error: BaseException | None, late: bool) -> bool | None:
        """Whether the dependency did its part; None when this call cannot say."""
        if late:
            overdue_ms = self._trace.elapsed_ms() - self._started_ms - self._left_ms
            had_time = self._left_ms >= SLOW_SHARE * self._timeout_ms
            return False if had_time and overdue_ms <= LOOP_LATE_MS else None
        if error is None:
            return True
        return False if isinstance(error, Exception) and not isinstance(error, NOT_OF_THE_PART) else None
