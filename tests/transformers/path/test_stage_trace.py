"""Guarded calls in virtual time: what may be asked, when it is cut off, and whose fault that was."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from endcap.core.errors import CallRefused, DependencyUnavailable, InvalidInput
from endcap.core.settings import ResilienceSettings
from endcap_transformer.path.stage_trace import StageTrace
from endcap_transformer.resilience.guards import BulkheadFull, CircuitState, Guards
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.transformers.virtual_time import run_virtual, virtual_loop

LIMITS = ResilienceSettings(bulkhead_calls=2, breaker_failures=3, breaker_failing_seconds=0, breaker_open_seconds=2)


class Process:
    """Guards and metrics of one process in virtual time."""

    def __init__(self, limits: ResilienceSettings = LIMITS) -> None:
        self.clock = virtual_loop().time
        self.registry = CollectorRegistry()
        self.metrics = ServingMetrics(self.registry)
        self.guards = Guards(limits, self.metrics, self.clock)

    def trace(self, budget_ms: float = 50) -> StageTrace:
        return StageTrace(budget_ms, self.metrics, self.guards, self.clock)

    def fallbacks(self, stage: str, cause: str) -> float:
        return self.registry.get_sample_value("endcap_fallbacks_total", {"stage": stage, "cause": cause}) or 0.0

    def state(self, name: str) -> CircuitState:
        return self.guards[name].breaker.state


async def ask(trace: StageTrace, name: str = "rank", timeout_ms: float = 20, takes_ms: float = 1, fails: Exception | None = None) -> bool:
    """One call as the request path makes it; whether it was made."""
    async with trace.fallible(name, timeout_ms) as admitted:
        if admitted:
            await asyncio.sleep(takes_ms / 1000)
            if fails is not None:
                raise fails
    return admitted


def test_a_good_call_degrades_nothing() -> None:
    async def main() -> None:
        trace = Process().trace()
        assert await ask(trace, takes_ms=5)
        assert trace.degraded == []
        assert trace.elapsed_ms() == pytest.approx(5)
        assert trace.left_ms() == pytest.approx(40)

    run_virtual(main())


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"takes_ms": 99}, "late"),
        ({"fails": DependencyUnavailable("away")}, "failed"),
        ({"fails": ValueError("garbage")}, "failed"),
        ({"fails": TimeoutError()}, "failed"),
        ({"fails": BulkheadFull("full")}, "bulkhead_full"),
    ],
)
def test_a_bad_call_is_named_with_its_cause(fields, cause) -> None:
    async def main() -> None:
        process = Process()
        trace = process.trace()
        await ask(trace, **fields)
        trace.skip("rank")
        assert trace.degraded == ["rank"]
        assert process.fallbacks("rank", cause) == 1

    run_virtual(main())


def test_failures_in_a_row_open_the_circuit_and_one_probe_closes_it() -> None:
    async def main() -> None:
        process = Process()
        for _ in range(3):
            assert await ask(process.trace(), fails=DependencyUnavailable("away"))
        trace = process.trace()
        assert not await ask(trace)
        assert trace.degraded == ["rank"]
        assert trace.elapsed_ms() == 0
        assert process.fallbacks("rank", "open_circuit") == 1
        await asyncio.sleep(2)
        probe, other = await asyncio.gather(ask(process.trace()), ask(process.trace()))
        assert (probe, other) == (True, False)
        assert process.state("rank") is CircuitState.CLOSED

    run_virtual(main())


def test_a_body_that_asks_in_spite_of_a_refusal_ends_at_its_first_await() -> None:
    async def main() -> None:
        process = Process()
        for _ in range(3):
            await ask(process.trace(), fails=DependencyUnavailable("away"))
        trace, reached = process.trace(), False
        async with trace.fallible("rank", 20):
            await asyncio.sleep(0.01)
            reached = True
        assert not reached
        assert trace.degraded == ["rank"]
        assert trace.elapsed_ms() == 0

    run_virtual(main())


def test_a_call_that_went_out_early_has_its_deadline_from_then_and_its_answer_is_taken_even_if_it_lay_there() -> None:
    async def main() -> None:
        process = Process()
        trace, found = process.trace(), []
        quick, slow = trace.fallible("quick", 20), trace.fallible("slow", 20)
        calls = {
            call: asyncio.ensure_future(asyncio.sleep(after_s, call)) for call, after_s in ((quick, 0.001), (slow, 0.5)) if call.admit()
        }
        await asyncio.sleep(0.03)
        for call in (quick, slow):
            async with call as admitted:
                assert admitted
                found.append(await calls[call])
        assert found == [quick]
        assert trace.degraded == ["slow"]
        assert trace.elapsed_ms() == pytest.approx(30)
        assert process.guards["quick"].bulkhead.in_use == process.guards["slow"].bulkhead.in_use == 0

    run_virtual(main())


def test_a_full_bulkhead_falls_back_at_once_and_says_nothing_about_the_dependency() -> None:
    async def main() -> None:
        process = Process()
        traces = [process.trace() for _ in range(6)]
        made = await asyncio.gather(*(ask(trace, takes_ms=10) for trace in traces))
        assert made == [True, True, False, False, False, False]
        assert process.fallbacks("rank", "bulkhead_full") == 4
        assert process.state("rank") is CircuitState.CLOSED
        assert await ask(process.trace())

    run_virtual(main())


def test_the_deadline_is_the_smaller_of_the_stages_and_the_budgets() -> None:
    async def main() -> None:
        process = Process()
        trace = process.trace(budget_ms=50)
        await asyncio.sleep(0.040)
        await ask(trace, takes_ms=99)
        assert trace.elapsed_ms() == pytest.approx(45)  # the rest is kept for the answer
        assert process.fallbacks("rank", "budget") == 1
        assert not await ask(trace, name="query")
        assert trace.degraded == ["rank", "query"]
        assert process.fallbacks("query", "budget") == 1

    run_virtual(main())


@pytest.mark.parametrize(("spent_ms", "opens"), [(40, False), (33, True), (0, True)])
def test_only_a_stage_that_had_time_of_its_own_opens_its_circuit(spent_ms: float, opens: bool) -> None:
    async def main() -> None:
        process = Process()
        for _ in range(3):
            trace = process.trace(budget_ms=50)
            await asyncio.sleep(spent_ms / 1000)
            await ask(trace, takes_ms=99)
        assert (process.state("rank") is CircuitState.OPEN) is opens

    run_virtual(main())


def test_a_deadline_missed_by_a_busy_process_is_not_the_dependencys_fault() -> None:
    async def main() -> None:
        process = Process()
        for _ in range(5):
            trace = process.trace()
            call = asyncio.ensure_future(ask(trace, takes_ms=25))
            await asyncio.sleep(0)
            virtual_loop().busy(0.040)
            await call
            assert trace.degraded == ["rank"]
        assert process.state("rank") is CircuitState.CLOSED

    run_virtual(main())


def test_a_cancelled_request_ends_cancelled_and_gives_everything_back() -> None:
    async def main() -> None:
        process = Process()
        for _ in range(3):
            await ask(process.trace(), fails=DependencyUnavailable("away"))
        await asyncio.sleep(2)
        probe = asyncio.ensure_future(ask(process.trace(), takes_ms=10))
        await asyncio.sleep(0.001)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert process.guards["rank"].bulkhead.in_use == 0
        assert process.state("rank") is CircuitState.HALF_OPEN
        assert await ask(process.trace())
        assert process.state("rank") is CircuitState.CLOSED

    run_virtual(main())


def test_parts_of_a_stage_add_up_and_are_counted_once() -> None:
    async def main() -> None:
        process = Process()
        trace = process.trace()
        for _ in range(2):
            with trace.stage("retrieval"):
                await asyncio.sleep(0.003)
        trace.finish(before_ms=1.5)
        assert trace.timings_ms == pytest.approx({"retrieval": 6.0, "total": 7.5})
        assert process.registry.get_sample_value("endcap_stage_seconds_count", {"stage": "retrieval"}) == 1

    run_virtual(main())


def test_a_cause_is_logged_once_in_a_while() -> None:
    async def main() -> list[str]:
        process = Process(ResilienceSettings(breaker_failures=1000))
        with capture_logs() as logs:
            for _ in range(21):
                await ask(process.trace(), fails=ValueError("garbage"))
                await asyncio.sleep(1)
        return [entry["cause"] for entry in logs if entry["event"] == "stage fell back"]

    assert run_virtual(main()) == ["ValueError: garbage"] * 3


@pytest.mark.parametrize(
    "fault",
    [
        CallRefused("cannot parse expression: price <= inf"),
        InvalidInput("no such signature"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        OverflowError("int too large"),
        KeyError("x"),
        TypeError("no bytes"),
    ],
)
def test_calls_that_fail_for_what_stands_in_them_open_no_circuit(fault: Exception) -> None:
    async def main() -> None:
        process = Process()
        for _ in range(10):
            trace = process.trace()
            assert await ask(trace, fails=fault)
            assert trace.degraded == ["rank"]
        assert process.state("rank") is CircuitState.CLOSED
        assert process.fallbacks("rank", "failed") == 10

    run_virtual(main())


def test_a_refused_call_hides_no_fault_of_the_part() -> None:
    async def main() -> None:
        process = Process()
        for fails in (DependencyUnavailable("away"), CallRefused("no"), DependencyUnavailable("away"), CallRefused("no")):
            await ask(process.trace(), fails=fails)
        await ask(process.trace(), fails=OSError("gone"))
        assert process.state("rank") is CircuitState.OPEN
        await asyncio.sleep(2)
        await ask(process.trace(), fails=CallRefused("no"))
        assert process.state("rank") is CircuitState.HALF_OPEN
        assert await ask(process.trace())
        assert process.state("rank") is CircuitState.CLOSED

    run_virtual(main())
