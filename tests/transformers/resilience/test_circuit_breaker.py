"""The breaker against a plain model of it, with outcomes in any order and late ones among them."""

import time

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from endcap_transformer.resilience.circuit_breaker import CircuitBreaker, CircuitState


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


def test_a_jump_of_the_wall_clock_changes_nothing(monkeypatch) -> None:
    breaker = CircuitBreaker(1, 3600.0)
    breaker.failed(breaker.permit())
    monkeypatch.setattr(time, "time", lambda: 9e9)
    assert breaker.refuses()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert breaker.refuses()
