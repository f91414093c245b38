"""What every scenario plays on: running parts, the catalogue behind them, and stretches of load with new requests each."""

from dataclasses import dataclass, field
from itertools import count

import psutil

from endcap_benchmarks.serving.load.mix import Population, make_requests
from endcap_benchmarks.serving.load.plan import Arrivals, Exchange, LoadPlan, Protocol, due_times, read_exchanges
from endcap_benchmarks.serving.load.process import load_process
from endcap_benchmarks.serving.parts import RunningParts
from endcap_benchmarks.serving.usage import LOAD, Usage, between, reading

LOAD_MODULE = "endcap_benchmarks.serving.load.load"


@dataclass(frozen=True)
class Stretch:
    """What one stretch of load did."""

    plan: LoadPlan
    exchanges: list[Exchange]
    usage: Usage


def drive(parts: RunningParts, plan: LoadPlan) -> Stretch:
    """Send one plan and wait for its end.

    Raises:
        EndcapError: the load process failed.
    """
    with load_process(LOAD_MODULE, plan) as load:
        watched = parts.processes() | {LOAD: psutil.Process(load.pid)}
        first = reading(watched, parts.http_port)
        load.go()
        load.await_sent()
        last = reading(watched, parts.http_port)
        return Stretch(plan, read_exchanges(load.finish()), between(first, last))


PATIENCE_SECONDS = 5.0
"""How long answers are waited for after the last request."""


@dataclass
class Stage:
    """Running parts of one catalogue.

    Attributes:
        parts: the processes.
        population: whom requests come from.
        items: of the catalogue.
        model: the model's name.
        arrivals: how open loops space their requests.
    """

    parts: RunningParts
    population: Population
    items: int
    model: str
    arrivals: Arrivals
    _seeds: "count[int]" = field(default_factory=lambda: count(1))

    def open_loop(self, protocol: Protocol, rate: float, seconds: float) -> Stretch:
        """The mix at `rate` requests a second."""
        return drive(self.parts, self.open_plan(protocol, rate, seconds))

    def open_plan(self, protocol: Protocol, rate: float, seconds: float) -> LoadPlan:
        """What `open_loop` sends."""
        seed = next(self._seeds)
        due = due_times(rate, seconds, self.arrivals, seed)
        kinds, instances = make_requests(self.population, len(due), seed)
        return LoadPlan(protocol, self._port(protocol), self.model, instances, kinds, due, seconds=PATIENCE_SECONDS)

    def closed_loop(self, seconds: float, clients: int, requests_max: int) -> Stretch:
        """The mix, asked by `clients` that each wait for their answer, over HTTP."""
        kinds, instances = make_requests(self.population, requests_max, next(self._seeds))
        return drive(self.parts, LoadPlan("http", self._port("http"), self.model, instances, kinds, clients=clients, seconds=seconds))

    def repeated(self, instances: list[dict], seconds: float, clients: int) -> Stretch:  # type: ignore[type-arg]
        """The same few requests over and over, over HTTP."""
        kinds = ["repeated"] * len(instances)
        return drive(self.parts, LoadPlan("http", self._port("http"), self.model, instances, kinds, clients=clients, seconds=seconds))

    def _port(self, protocol: Protocol) -> int:
        return self.parts.http_port if protocol == "http" else self.parts.grpc_port
