"""Places are held until a call has really ended."""

import asyncio
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from endcap_transformer.resilience.guards import BoundedThreads, Bulkhead, BulkheadFull, CircuitBreaker, CircuitState


@given(calls=st.integers(1, 5), moves=st.lists(st.booleans(), max_size=60))
def test_never_more_than_allowed_and_every_place_comes_back(calls: int, moves: list[bool]) -> None:
    bulkhead, inside = Bulkhead(calls), 0
    for enters in moves:
        if enters:
            room = inside < calls
            assert bulkhead.is_full() is not room
            assert bulkhead.enter() is room
            inside += room
        elif inside:
            bulkhead.leave()
            inside -= 1
        assert bulkhead.in_use == inside <= calls


class Blocked:
    """A dependency that answers when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = threading.Event()

    def __call__(self, value: int) -> int:
        self.started.set()
        self.go.wait(20)
        return value


async def eventually(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - threads end when they end
            await asyncio.sleep(0.001)


async def test_a_call_nobody_waits_for_keeps_its_place_until_its_thread_is_free() -> None:
    threads, blocked = BoundedThreads("store", threads=1, calls=2), Blocked()
    running, waiting = threads.start(blocked, 1), threads.start(blocked, 2)
    await asyncio.to_thread(blocked.started.wait, 20)
    running.cancel()
    waiting.cancel()
    await eventually(lambda: threads.in_use == 1)  # the one in the queue is gone, the one that runs is not
    again = threads.start(blocked, 3)
    with pytest.raises(BulkheadFull):
        threads.start(blocked, 4)
    blocked.go.set()
    assert await again == 3
    await eventually(lambda: threads.in_use == 0)
    threads.close()


async def test_an_error_of_the_call_reaches_the_caller_and_frees_the_place() -> None:
    threads = BoundedThreads("store", threads=1, calls=1)

    def broken() -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await threads.start(broken)
    await eventually(lambda: threads.in_use == 0)
    threads.close()
    with pytest.raises(RuntimeError):
        threads.start(broken)
    assert threads.in_use == 0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class BreakerAgainstModel(RuleBasedStateMachine):
    """The model knows three things: the state, failures in a row, and which calls started since the last change."""

    @initialize(failures=st.integers(1, 4), open_s=st.sampled_from([0.5, 2.0]))
    def make(self, failures: int, open_s: float) -> None:
        self.clock = Clock()
        self.changes: list[CircuitState] = []
        self.breaker = CircuitBreaker(failures, open_s, self.clock, self.changes.append)
        self.failures_max, self.open_s = failures, open_s
        self.state, self.in_a_row, self.opened_at = CircuitState.CLOSED, 0, 0.0
        self.present: list[int] = []
        self.past: list[int] = []

    def turn(self, state: CircuitState) -> None:
        self.state, self.in_a_row = state, 0
        self.past += self.present
        self.present = []
        if state is CircuitState.OPEN:
            self.opened_at = self.clock.now

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 50.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule()
    def call_asks(self) -> None:
        rested = self.state is CircuitState.OPEN and self.clock.now - self.opened_at >= self.open_s
        expected = self.state is CircuitState.CLOSED or rested or (self.state is CircuitState.HALF_OPEN and not self.present)
        assert self.breaker.refuses() is not expected
        permit = self.breaker.permit()
        assert (permit is not None) is expected
        if permit is not None:
            if self.state is not CircuitState.CLOSED:
                self.turn(CircuitState.HALF_OPEN)
            self.present.append(permit)

    @precondition(lambda self: self.present)
    @rule()
    def call_succeeds(self) -> None:
        self.breaker.succeeded(self.present.pop())
        self.in_a_row = 0
        if self.state is CircuitState.HALF_OPEN:
            self.turn(CircuitState.CLOSED)

    @precondition(lambda self: self.present)
    @rule()
    def call_fails(self) -> None:
        self.breaker.failed(self.present.pop())
        self.in_a_row += 1
        if self.state is CircuitState.HALF_OPEN or self.in_a_row >= self.failures_max:
            self.turn(CircuitState.OPEN)

    @precondition(lambda self: self.present)
    @rule()
    def call_is_given_up(self) -> None:
        self.breaker.abandoned(self.present.pop())

    @precondition(lambda self: self.past)
    @rule(outcome=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def call_from_before_ends(self, outcome: str) -> None:
        getattr(self.breaker, outcome)(self.past.pop())

    @invariant()
    def states_agree(self) -> None:
        if hasattr(self, "breaker"):
            assert self.breaker.state is self.state
            assert (self.changes or [CircuitState.CLOSED])[-1] is self.state

    @invariant()
    def one_probe_at_most(self) -> None:
        if hasattr(self, "breaker") and self.state is CircuitState.HALF_OPEN:
            assert len(self.present) <= 1


TestBreakerAgainstModel = BreakerAgainstModel.TestCase


@pytest.mark.parametrize(("apart_s", "state"), [(0.0, CircuitState.CLOSED), (0.01, CircuitState.CLOSED), (0.1, CircuitState.OPEN)])
def test_failures_of_one_short_stall_open_no_circuit_and_lasting_ones_do(apart_s: float, state: CircuitState) -> None:
    now = [0.0]
    breaker = CircuitBreaker(5, 2.0, lambda: now[0], failing_s=0.3)
    for _ in range(5):
        breaker.failed(breaker.permit() or 0)
        now[0] += apart_s
    assert breaker.state is state


def test_a_success_between_two_stalls_begins_the_count_anew() -> None:
    now = [0.0]
    breaker = CircuitBreaker(2, 2.0, lambda: now[0], failing_s=0.3)
    breaker.failed(breaker.permit() or 0)
    now[0] = 1.0
    breaker.succeeded(breaker.permit() or 0)
    for _ in range(3):
        breaker.failed(breaker.permit() or 0)
    assert breaker.state is CircuitState.CLOSED
    now[0] = 1.3
    breaker.failed(breaker.permit() or 0)
    assert breaker.state is CircuitState.OPEN


def test_a_jump_of_the_wall_clock_changes_nothing(monkeypatch) -> None:
    breaker = CircuitBreaker(1, 3600.0)
    breaker.failed(breaker.permit())
    monkeypatch.setattr(time, "time", lambda: 9e9)
    assert breaker.refuses()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert breaker.refuses()
