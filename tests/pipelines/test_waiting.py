"""Waiting for a run: until it ends, whatever way, and no longer than was asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from endcap.core.errors import DependencyUnavailable, EndcapError, InvalidInput
from endcap_pipelines.server import Server
from endcap_pipelines.submitting import POLL_S, UNANSWERED_MAX, wait_for_run
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def run() -> Iterator[tuple[Server, Pipelines]]:
    pipelines = Pipelines(runs={"run-0": {}})
    with serving(pipelines) as address:
        yield Server(address), pipelines
    assert pipelines.violations == []


def waited(server: Server, timeout_s: float = 3600, run_id: str = "run-0") -> float:
    """How long the wait took."""
    time = Time()
    wait_for_run(server, run_id, timeout_s, clock=time.clock, sleep=time.sleep)
    return time.now


def test_it_waits_until_the_run_succeeded(run: tuple[Server, Pipelines]) -> None:
    server, pipelines = run
    pipelines.states = ["PENDING", "RUNNING", "PAUSED", "SUCCEEDED"]
    assert waited(server) == 3 * POLL_S


def test_a_run_that_failed_names_its_step(run: tuple[Server, Pipelines]) -> None:
    server, pipelines = run
    pipelines.states = ["RUNNING", "FAILED"]
    with pytest.raises(EndcapError, match=r"run run-0 ended as FAILED at train-ranker; "):
        waited(server)


def test_a_run_that_was_cancelled_is_not_waited_for(run: tuple[Server, Pipelines]) -> None:
    server, pipelines = run
    pipelines.states = ["RUNNING", "CANCELED"]
    with pytest.raises(EndcapError, match="ended as CANCELED"):
        waited(server)


def test_the_wait_is_bounded(run: tuple[Server, Pipelines]) -> None:
    server, pipelines = run
    pipelines.states = ["RUNNING"]
    with pytest.raises(EndcapError, match="did not end within 60 s"):
        waited(server, timeout_s=60)


def test_a_short_outage_is_waited_through(run: tuple[Server, Pipelines]) -> None:
    server, pipelines = run
    pipelines.outages = UNANSWERED_MAX
    assert waited(server) == UNANSWERED_MAX * POLL_S


def test_a_long_outage_ends_the_wait(run: tuple[Server, Pipelines]) -> None:
    server, pipelines = run
    pipelines.outages = UNANSWERED_MAX + 1
    with pytest.raises(DependencyUnavailable, match="503"):
        waited(server)


def test_a_run_that_is_not_there_is_told(run: tuple[Server, Pipelines]) -> None:
    with pytest.raises(InvalidInput, match="run run-9 not found"):
        waited(run[0], run_id="run-9")
