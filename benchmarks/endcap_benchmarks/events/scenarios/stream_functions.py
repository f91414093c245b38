"""The stream's functions by the size of their state: events a second and core, all together and each alone, on the driver's SQLite file."""

import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.fernet import Fernet
from numpy.typing import NDArray

from endcap.core.settings import Settings
from endcap.events.dead_letters.sealing import Seal
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.driver import Driver
from endcap.events.stream.following import Arrived
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import Subscription
from endcap_benchmarks.events.intervals import mean_interval
from endcap_benchmarks.events.made_events import LOG_MIX, Shop, Span, made_events, stored
from endcap_stream.functions import subscriptions

SEED = 7
FILL_EVENTS = 20_000
ITEMS = 10_000
FILL_LENGTH = timedelta(minutes=40)
"""All sessions are of this time, so that none ends before it is measured."""

STEP_LENGTH = timedelta(seconds=5)
ALL, NONE = "all functions", "driver alone"


@dataclass(frozen=True)
class MeasuredSteps:
    """How many steps are measured, and of how many events each: as when the log is behind."""

    steps: int = 6
    events: int = 5_000


class GrowingState:
    """The stream's state, filled and measured in turns.

    Args:
        folder: of the state.
        known: what the stream runs.
        begins_at: of the first event, UTC.
        size: of what is measured.
    """

    def __init__(self, folder: Path, known: Sequence[Subscription], begins_at: datetime, size: "MeasuredSteps") -> None:
        self._folder, self._known, self._begins_at, self._size = folder, known, begins_at, size
        self._random = np.random.default_rng(SEED)
        self._seal = Seal([Fernet.generate_key().decode()], "made for the benchmark")
        self._shop = Shop([f"I{number:06d}" for number in range(ITEMS)], "s")
        self._sessions = 0
        self._moved = FILL_LENGTH

    def fill(self, sessions: int, most: int) -> float:
        """One event of each new session until there are so many; seconds of CPU.

        Args:
            sessions: wanted.
            most: that there will be in the end: their events are spread over the time of the filling.
        """
        began = time.process_time()
        driver = self._driver(self._known)
        while self._sessions < sessions:
            last = min(self._sessions + FILL_EVENTS, sessions)
            span = Span(self._filled_at(self._sessions / most), self._filled_at(last / most))
            self._step(driver, np.arange(self._sessions, last), span)
            self._sessions = last
        driver.close()
        return time.process_time() - began

    def measure(self, name: str, known: Sequence[Subscription]) -> dict[str, Any]:
        """Steps of events of sessions that are in the state, rows handed to sinks that do nothing.

        Args:
            name: of the row.
            known: what is stepped; the state of what is not is left alone.
        """
        driver = self._driver(known)
        cpu_s = []
        for _ in range(self._size.steps):
            first_at = self._begins_at + self._moved
            self._moved += STEP_LENGTH
            drawn = self._random.integers(self._sessions, size=self._size.events)
            cpu_s.append(self._step(driver, drawn, Span(first_at, first_at + STEP_LENGTH)))
        keys = {each.function.name: driver.keys(each.function.name) for each in known if isinstance(each.function, Sessions)}
        driver.close()
        a_second = self._size.events / np.array(cpu_s)
        return {
            "scenario": "stream functions",
            "of": f"{self._sessions:,} sessions, {name}",
            "sessions": self._sessions,
            "function": name,
            "steps": self._size.steps,
            "events_a_step": self._size.events,
            "events_a_core_second": round(self._size.steps * self._size.events / sum(cpu_s), 1),
            "events_a_core_second_interval": mean_interval(a_second),
            "session_keys": keys.get(Sessions.name),
        }

    def _driver(self, known: Sequence[Subscription]) -> Driver:
        return Driver(self._folder, known, self._seal, lambda: self._begins_at)

    def _filled_at(self, share: float) -> datetime:
        return self._begins_at + share * FILL_LENGTH

    def _step(self, driver: Driver, sessions: NDArray[np.int64], span: Span) -> float:
        """Seconds of CPU, of making the events not counted."""
        events = stored(made_events(self._shop, sessions, span, self._random, LOG_MIX))
        began = time.process_time()
        driver.step(Arrived(events, (), {}, (), is_behind=True))
        _drain(driver)
        return time.process_time() - began


def stream_functions(
    settings: Settings, parent: Path, sessions: Sequence[int], now: datetime, size: MeasuredSteps | None = None
) -> Generator[list[dict[str, Any]], None, None]:
    """A row a function, by size.

    Args:
        settings: of the product; its home is not touched.
        parent: the folder in which the state is made, and removed.
        sessions: in the state, ascending.
        now: UTC.
        size: of what is measured.
    """
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        own = settings.model_copy(update={"home": Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stream-", dir=parent)))})
        outcomes = stack.enter_context(closing(JournalStore(own.outcomes_dir, Windows.of(own.outcomes))))
        known = subscriptions(own, lambda: now, outcomes, own.stream_dir)
        state = GrowingState(own.stream_dir, known, now - timedelta(hours=1), size or MeasuredSteps())
        for count in sessions:
            fill_s = state.fill(count, sessions[-1])
            whole = state.measure(ALL, known) | {"fill_cpu_seconds": round(fill_s, 1), "state_mib": _size_mib(own.stream_dir)}
            yield [whole, *(state.measure(each.function.name, [each]) for each in known), state.measure(NONE, [])]


def _drain(driver: Driver) -> None:
    for outbox in driver.outboxes.values():
        while (parcel := outbox.parcel()) is not None:
            outbox.remove(parcel)


def _size_mib(folder: Path) -> float:
    return round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1024 / 1024, 1)
