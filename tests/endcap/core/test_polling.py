"""Polling, on a clock that only pauses move."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from endcap.core.polling import poll, poll_async


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


@dataclass
class Looks:
    """Gives one result after the other, the last one for ever; errors are raised."""

    results: list[object]
    taken: int = 0

    def __call__(self) -> object:
        result = self.results[min(self.taken, len(self.results) - 1)]
        self.taken += 1
        if isinstance(result, Exception):
            raise result
        return result

    async def awaited(self) -> object:
        return self()


Poll = Callable[..., object]


@pytest.fixture(params=["sync", "async"])
def polled(request: pytest.FixtureRequest) -> Poll:
    """Both forms under one signature: looks and time first."""

    def sync(looks: Looks, time: Time, **options: object) -> object:
        return poll(looks, clock=time.clock, sleep=time.sleep, **options)

    def asynchronous(looks: Looks, time: Time, **options: object) -> object:
        return asyncio.run(poll_async(looks.awaited, clock=time.clock, sleep=time.sleep_async, **options))

    return sync if request.param == "sync" else asynchronous


def test_what_is_there_costs_no_pause(polled: Poll) -> None:
    time = Time()
    assert polled(Looks(["there"]), time, every_s=5, within_s=60) == "there"
    assert time.pauses == []


def test_it_looks_until_something_is_there(polled: Poll) -> None:
    looks, time = Looks([None, [], 0, "there"]), Time()
    assert polled(looks, time, every_s=5, within_s=60) == "there"
    assert time.pauses == [5, 5, 5]


def test_the_last_value_is_returned_when_the_time_is_up(polled: Poll) -> None:
    looks, time = Looks([0]), Time()
    assert polled(looks, time, every_s=5, within_s=12) == 0
    assert (looks.taken, time.now) == (3, 10)


def test_what_counts_as_there_can_be_said(polled: Poll) -> None:
    time = Time()
    assert polled(Looks(["", None]), time, every_s=5, within_s=60, is_there=lambda found: found is None) is None
    assert time.now == 5


def test_no_time_is_one_look(polled: Poll) -> None:
    looks, time = Looks([False]), Time()
    assert polled(looks, time, every_s=5, within_s=0) is False
    assert (looks.taken, time.now) == (1, 0)


def test_it_looks_again_after_errors_that_were_named(polled: Poll) -> None:
    looks, time = Looks([OSError("refused"), "there"]), Time()
    assert polled(looks, time, every_s=5, within_s=60, again_on=OSError) == "there"
    assert time.now == 5


def test_the_last_error_is_raised_when_the_time_is_up(polled: Poll) -> None:
    time = Time()
    with pytest.raises(OSError, match="second"):
        polled(Looks([OSError("first"), OSError("second")]), time, every_s=5, within_s=9, again_on=OSError)
    assert time.now == 5


def test_other_errors_end_it_at_once(polled: Poll) -> None:
    time = Time()
    with pytest.raises(ValueError, match="broken"):
        polled(Looks([ValueError("broken")]), time, every_s=5, within_s=60, again_on=OSError)
    assert time.pauses == []
