"""Stretches of events: bodies made before, each event new, sessions of many."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import numpy as np

from endcap.core.clock import Clock, system_clock
from endcap_benchmarks.events.load.plan import EventPlan
from endcap_benchmarks.events.made_events import Shop, Span, bodies, json_lines, made_events
from endcap_benchmarks.serving.load.plan import Arrivals, due_times

SEND_MODULE = "endcap_benchmarks.events.load.send"
EVENTS_A_SESSION = 20
PATIENCE_SECONDS = 5.0


@dataclass
class EventStretches:
    """Plans of events for one collector.

    Attributes:
        port: of the collector.
        items: of the catalogue.
        arrivals: how open loops space their requests.
        clock: the present, UTC; events are stamped as of the time before they are sent, as long as the stretch is.
    """

    port: int
    items: Sequence[str]
    arrivals: Arrivals = "poisson"
    clock: Clock = system_clock
    _seeds: "count[int]" = field(default_factory=lambda: count(1))

    def open_loop(self, rate: float, seconds: float, events_a_body: int = 1) -> EventPlan:
        """So many events a second, in bodies that are due whatever becomes of those before."""
        due = due_times(rate / events_a_body, seconds, self.arrivals, next(self._seeds))
        made = self._bodies(len(due) * events_a_body, seconds, events_a_body)
        return EventPlan(self.port, made, _media_type(events_a_body), due, seconds=PATIENCE_SECONDS)

    def closed_loop(self, events_max: int, seconds: float, clients: int, events_a_body: int = 1) -> EventPlan:
        """Clients that each wait for their answer; with at most so many events, so that none comes twice."""
        made = self._bodies(events_max, seconds, events_a_body)
        return EventPlan(self.port, made, _media_type(events_a_body), clients=clients, seconds=seconds)

    def _bodies(self, events: int, seconds: float, events_a_body: int) -> list[bytes]:
        seed, now = next(self._seeds), self.clock()
        random = np.random.default_rng([int(now.timestamp() * 1_000_000), seed])  # ids are new in every run
        sessions = random.integers(max(events // EVENTS_A_SESSION, 1), size=events)
        shop = Shop(self.items, f"load-{now.timestamp():.6f}-{seed}")
        return bodies(json_lines(made_events(shop, sessions, Span(now - timedelta(seconds=seconds), now), random)), events_a_body)


def _media_type(events_a_body: int) -> str:
    return "application/json" if events_a_body == 1 else "application/x-ndjson"
