"""What every scenario plays on: running parts, the catalogue behind them, and requests that nobody has asked before."""

from dataclasses import dataclass, field
from itertools import count

from endcap_benchmarks.serving.load.arrivals import Arrivals, due_times
from endcap_benchmarks.serving.load.driving import Stretch, drive
from endcap_benchmarks.serving.load.mix import make_requests
from endcap_benchmarks.serving.load.plan import LoadPlan, Protocol
from endcap_benchmarks.serving.load.population import Population
from endcap_benchmarks.serving.parts import RunningParts

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
        seed = next(self._seeds)
        due = due_times(rate, seconds, self.arrivals, seed)
        kinds, instances = make_requests(self.population, len(due), seed)
        plan = LoadPlan(protocol, self._port(protocol), self.model, instances, kinds, due, seconds=PATIENCE_SECONDS)
        return drive(self.parts, plan)

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
