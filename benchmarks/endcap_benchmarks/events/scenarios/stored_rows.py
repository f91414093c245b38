"""From an accepted event to its visit's row in the online store, by way of Kafka, beside a load of other events."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from endcap.core.clock import system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap.core.settings import Settings
from endcap.features.store.online import OnlineFeatures
from endcap_benchmarks.events.collector_process import RunningCollector
from endcap_benchmarks.events.deployment import cpu_reading
from endcap_benchmarks.events.intervals import percentile_interval
from endcap_benchmarks.events.load.plan import OK, SentEvents
from endcap_benchmarks.events.load.send import PATH
from endcap_benchmarks.events.load.watch import view_event
from endcap_benchmarks.events.stretches import SEND_MODULE, EventStretches
from endcap_benchmarks.report_table import PERCENTILES
from endcap_benchmarks.serving.load.process import load_process

STAGE = "accepted to stored row"
WARM_UP_ROWS = 20
PATIENCE_SECONDS = 20.0
MARGIN_SECONDS = 60.0
LOOK_EVERY_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class StreamUnderWatch:
    """Attributes:
    of: what it is, for the table.
    pid: of its process, which all others of it are below.
    home: with the online store that it writes to.
    """

    of: str
    pid: int
    home: Path


def stored_rows(
    collector: RunningCollector, stream: StreamUnderWatch, items: Sequence[str], *, event_rate: float, probes: int, probe_rate: float
) -> dict[str, Any]:
    """Milliseconds from the collector's answer until the row is read; one that never came counts as the time it was waited.

    Args:
        collector: it sends to the Kafka that the stream reads.
        stream: whose rows are read.
        items: of the shop.
        event_rate: of other sessions' events, a second.
        probes: events that are watched, each of a visit of its own.
        probe_rate: of these a second.
    """
    watch = RowWatch(collector.port, OnlineFeatures.open(Settings(home=stream.home)), items[0])
    seconds = (probes + WARM_UP_ROWS) / probe_rate + MARGIN_SECONDS
    with load_process(SEND_MODULE, EventStretches(collector.port, items).open_loop(event_rate, seconds)) as load:
        load.go()
        watch.visits(WARM_UP_ROWS, probe_rate)
        processes = {"stream": psutil.Process(stream.pid)}
        first = cpu_reading(processes)
        waited_s = watch.visits(probes, probe_rate)
        last = cpu_reading(processes)
        load.stop()
        load.await_sent()
        sent = SentEvents.read(load.finish())
    waited_ms = np.array([PATIENCE_SECONDS if each is None else each for each in waited_s]) * 1000
    accepted = int(sent.accepted.sum())
    return {
        "scenario": "freshness through Kafka",
        "of": stream.of,
        "event_rate": event_rate,
        **{name: {STAGE: round(float(np.percentile(waited_ms, at)), 1)} for name, at in PERCENTILES.items()},
        "p99_ms_interval": percentile_interval(waited_ms, 99),
        "slowest_ms": round(float(waited_ms.max()), 1),
        "probes": len(waited_ms),
        "never_stored": sum(each is None for each in waited_s),
        "events": accepted,
        "events_per_second": round(accepted / float(np.nanmax(sent.done_s)), 1) if accepted else None,
        "cores_used": {name: round((last.cpu_s[name] - first.cpu_s[name]) / (last.at_s - first.at_s), 3) for name in processes},
        "load_average": round(psutil.getloadavg()[0], 2),
    }


@dataclass
class RowWatch:
    """Sends events and looks for their rows.

    Attributes:
        collector_port: on 127.0.0.1.
        online: where the rows come.
        item_id: what all visits look at.
    """

    collector_port: int
    online: OnlineFeatures
    item_id: str
    _sent: int = field(default=0)

    def visits(self, count: int, rate: float) -> list[float | None]:
        """Seconds until the row of each visit was there; None where it did not come in time.

        Args:
            count: of visits, an event each.
            rate: of them a second.

        Raises:
            DependencyUnavailable: the collector did not take one.
        """
        began = time.perf_counter()
        accepted_s: dict[str, float] = {}
        waited: dict[str, float | None] = {}
        with httpx.Client(base_url=f"http://127.0.0.1:{self.collector_port}", trust_env=False) as client:
            while len(waited) < count:
                due = min(count, int((time.perf_counter() - began) * rate) + 1)
                while len(accepted_s) < due:
                    session = self._send(client)
                    accepted_s[session] = time.perf_counter()
                for session, at in accepted_s.items():
                    if session not in waited and (found := self._looked(session, at)) is not False:
                        waited[session] = found
                time.sleep(LOOK_EVERY_SECONDS)
        return [waited[session] for session in accepted_s]

    def _send(self, client: httpx.Client) -> str:
        """One event of a new visit, sent again while the collector has too much to do: time counts from its acceptance."""
        session = f"stored-{self._sent}"
        self._sent += 1
        body = view_event(session, self.item_id, system_clock())

        def taken() -> bool:
            answer = client.post(PATH, content=body, headers={"content-type": "application/json"})
            return answer.status_code == OK and answer.json()["accepted"] == 1

        if not poll(taken, every_s=LOOK_EVERY_SECONDS, within_s=PATIENCE_SECONDS):
            raise DependencyUnavailable("the collector takes no event", field=str(client.base_url), fix="give a lower --event-rate")
        return session

    def _looked(self, session: str, accepted_s: float) -> float | bool | None:
        """Seconds that it took; None when the time is up, False when it may still come."""
        row = self.online.read(None, session)
        waited = time.perf_counter() - accepted_s
        if row is not None and row["session"] is not None:
            return waited
        return None if waited > PATIENCE_SECONDS else False
