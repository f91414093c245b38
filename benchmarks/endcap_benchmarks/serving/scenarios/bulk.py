"""Lists for a mailing beside shoppers: what the bulk lane makes, and what single requests notice of it."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

import numpy as np

from endcap.contracts.answer import Answer
from endcap.core.errors import EndcapError
from endcap.prepared_lists.bulk_endpoint import BulkEndpoint
from endcap_benchmarks.serving.load.plan import Exchange
from endcap_benchmarks.serving.stage import Stage
from endcap_benchmarks.serving.summary import OK, share

CALLERS = 2
LISTS_A_REQUEST = 90
K = 20


@dataclass
class Made:
    """What callers got so far.

    Attributes:
        lists: answers.
        degraded: of these, those in which a stage fell back.
        failed: what ended a caller.
    """

    lists: int = 0
    degraded: int = 0
    failed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, answers: Sequence[Answer]) -> None:
        """Count the answers of one request."""
        with self._lock:
            self.lists += len(answers)
            self.degraded += sum(bool(each.degraded) for each in answers)


def bulk(stage: Stage, rate: float, seconds: float) -> dict[str, Any]:
    """Single requests alone, then beside callers who ask for the next ninety lists as soon as they have some.

    Args:
        stage: running parts.
        rate: of single requests a second.
        seconds: of each of both.
    """
    alone = stage.open_loop("http", rate, seconds).exchanges
    with _calling(stage) as made:
        before, began = (made.lists, made.degraded), monotonic()
        beside = stage.open_loop("http", rate, seconds).exchanges
    # With what was under way when the stretch ended: a request for ninety lists may take longer than a short stretch.
    lists, degraded, took_s = made.lists - before[0], made.degraded - before[1], monotonic() - began
    p99_ms = {name: _p99_ms(exchanges) for name, exchanges in (("alone", alone), ("beside", beside))}
    return {
        "scenario": "bulk lists",
        "items": stage.items,
        "rate": rate,
        "callers": CALLERS,
        "lists_a_request": LISTS_A_REQUEST,
        "bulk_lists_a_second": round(lists / took_s, 1),
        "bulk_degraded_share": share(degraded, lists),
        "bulk_failed": made.failed,
        "singles_p99_ms_alone": p99_ms["alone"],
        "singles_p99_ms_beside": p99_ms["beside"],
        "singles_p99_ratio": round(p99_ms["beside"] / p99_ms["alone"], 3) if p99_ms["alone"] and p99_ms["beside"] else None,
        "singles_whole_share_alone": _whole_share(alone),
        "singles_whole_share_beside": _whole_share(beside),
    }


@contextmanager
def _calling(stage: Stage) -> Iterator[Made]:
    """Callers at work, once each has had its first answers: a model server sees the shapes of batches for the first time."""
    made, stop, people = Made(), threading.Event(), count()
    warm = [threading.Event() for _ in range(CALLERS)]
    threads = [threading.Thread(target=_call, args=(stage, made, people, each, stop)) for each in warm]
    for thread in threads:
        thread.start()
    try:
        for each in warm:
            each.wait()
        yield made
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _call(stage: Stage, made: Made, people: "count[int]", warm: threading.Event, stop: threading.Event) -> None:
    users = stage.population.users
    try:
        with BulkEndpoint(stage.parts.url, stage.model) as endpoint:
            for number in count():
                if stop.is_set():
                    return
                wanted = [{"user_id": users[next(people) % len(users)], "surface": "email", "k": K} for _ in range(LISTS_A_REQUEST)]
                made.add(endpoint.ask(wanted, f"bulk-{id(warm)}-{number}"))
                warm.set()
    except EndcapError as error:
        made.failed.append(str(error))
    finally:
        warm.set()


def _p99_ms(exchanges: Sequence[Exchange]) -> float | None:
    took_ms = [each.took_ms for each in exchanges if each.status == OK]
    return round(float(np.percentile(took_ms, 99)), 2) if took_ms else None


def _whole_share(exchanges: Sequence[Exchange]) -> float:
    """Of all that were asked for: refused ones and those in which a stage fell back are none."""
    return share(sum(each.status == OK and not each.degraded for each in exchanges), len(exchanges))
