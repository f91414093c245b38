"""A light open loop of requests over all surfaces, in a thread of its own, and what came back."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.faults.made_home import FIRST, USERS
from tests.faults.raw_http import NotAccepted, Reply, exchange, predict
from tests.waiting import until

RATE = 10.0
TOOK_MAX_S = 5.0
"""Several times the budget of the deployment's requests, since the machine that runs the tests may be busy."""
OTHERS_MAX_SHARE = 0.1
"""A busy machine makes a stage late now and then that has nothing to do with the fault."""

SHED_MAX_SHARE = 0.2
"""A part that hangs holds requests until its circuit opens, and while they are held the next ones may be turned away."""

Instance = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """One request and what became of it; either a reply or an error."""

    instance: Instance
    sent_at: float
    reply: Reply | None
    error: str | None

    @property
    def answer(self) -> dict[str, Any]:
        assert self.reply is not None
        answer: dict[str, Any] = self.reply.json()["predictions"][0]
        return answer

    @property
    def knows_person(self) -> bool:
        """Whether it is for somebody with a history, so that every stage has something to do."""
        return str(self.instance.get("user_id", "")).startswith("U")


def instances(seed: int) -> Iterator[Instance]:
    """Requests for ever: every surface, known people, new ones and nobody."""
    random = np.random.default_rng(seed)

    def items(count: int) -> list[str]:
        return [f"I{number:06d}" for number in random.integers(0, FIRST.items, count)]

    while True:
        user = f"U{random.integers(USERS)}"
        yield {"user_id": user}
        yield {"user_id": user, "surface": "product", "item_ids": items(1)}
        yield {"user_id": user, "surface": "product_similar", "item_ids": items(1)}
        yield {"user_id": user, "surface": "cart", "item_ids": items(3), "k": 5}
        yield {"user_id": user, "surface": "category", "filters": {"categories": ["PRODUCE"], "price_max": 18.0}}
        yield {"user_id": user, "surface": "search", "item_ids": items(20)}
        yield {"user_id": user, "surface": "product_bought_together", "item_ids": items(1)}
        yield {"user_id": user, "surface": "email", "k": 30}
        yield {"user_id": f"new-{random.integers(1_000_000)}", "preferences": {"categories": ["MEAT"]}}
        yield {"surface": "product", "item_ids": items(1)}
        yield {}


class Load:
    """Sends a request every so often, whatever becomes of those before.

    Args:
        port: HTTP port of the transformer.
        rate: requests a second.
        seed: of the requests.
    """

    def __init__(self, port: int, rate: float = RATE, seed: int = 1) -> None:
        self._port = port
        self._rate = rate
        self._instances = instances(seed)
        self._outcomes: list[Outcome] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load", daemon=True)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(60)

    def outcomes(self, since: float = 0.0, before: float = float("inf")) -> "Outcomes":
        """What became of requests sent in a stretch of time, by the monotonic clock."""
        return Outcomes([each for each in tuple(self._outcomes) if since <= each.sent_at < before])

    def wait_for(self, holds: Callable[["Outcomes"], bool], what: str, since: float, within_s: float = 60.0) -> None:
        """Return when something holds of the outcomes since a moment."""
        try:
            until(lambda: holds(self.outcomes(since)), what, within_s)
        except AssertionError as late:
            raise AssertionError(f"{late}: {self.outcomes(since)}") from late

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            due = time.monotonic()
            while not self._stop.is_set():
                tasks.create_task(self._one(next(self._instances)))
                due += 1 / self._rate
                await asyncio.sleep(max(due - time.monotonic(), 0))

    async def _one(self, instance: Instance) -> None:
        sent_at = time.monotonic()
        reply = error = None
        try:
            reply = await exchange(self._port, predict(instance))
        except NotAccepted as refused:
            error = f"not accepted: {refused}"
        except Exception as failed:
            error = repr(failed)
        self._outcomes.append(Outcome(instance, sent_at, reply, error))


class Outcomes:
    """What a stretch of load came back with."""

    def __init__(self, each: Sequence[Outcome]) -> None:
        self.each = each

    def __len__(self) -> int:
        return len(self.each)

    def __repr__(self) -> str:
        return f"{len(self)} requests, statuses {dict(self.statuses())}, errors {dict(self.errors())}, named {dict(self.named())}"

    def where(self, holds: Callable[[Outcome], bool]) -> "Outcomes":
        return Outcomes([each for each in self.each if holds(each)])

    def answered(self) -> "Outcomes":
        return self.where(lambda each: each.reply is not None and each.reply.status == 200)

    def known(self) -> "Outcomes":
        """Answers for somebody with a history."""
        return self.answered().where(lambda each: each.knows_person)

    def statuses(self) -> Counter[int]:
        return Counter(each.reply.status for each in self.each if each.reply)

    def errors(self) -> Counter[str]:
        return Counter(each.error for each in self.each if each.error)

    def named(self) -> Counter[str]:
        """How many answers name each stage as degraded."""
        return Counter(name for each in self.answered().each for name in each.answer["degraded"])

    def naming(self, *stages: str) -> int:
        """How many answers name one of these stages."""
        return sum(not set(stages).isdisjoint(each.answer["degraded"]) for each in self.answered().each)

    def require_full(self, least: int = 5) -> None:
        """Every request was answered, in time, with a list that has something in it; the odd one may have been told to come again."""
        assert len(self) >= least, f"too few requests to tell: {self}"
        assert not self.errors(), self
        assert set(self.statuses()) <= {200, 429}, (
            self,
            [each.reply.body[:300] for each in self.each if each.reply.status not in (200, 429)],
        )
        assert self.statuses()[429] <= SHED_MAX_SHARE * len(self), self
        empty = [each for each in self.answered().each if not each.answer["recommendations"]]
        assert not empty, [(each.instance, each.answer) for each in empty]
        late = [each for each in self.each if each.reply.took_s > TOOK_MAX_S]
        assert not late, [(each.instance, each.reply.took_s, each.reply.body[-400:]) for each in late]

    def require_sound(self) -> None:
        """Full, and hardly an answer without one of its stages."""
        self.require_full()
        assert sum(bool(each.answer["degraded"]) for each in self.answered().each) <= OTHERS_MAX_SHARE * len(self), self

    def are_sound(self, least: int = 8) -> bool:
        """Whether the last few answers had all their stages."""
        last = self.answered().each[-least:]
        return len(last) == least and not any(each.answer["degraded"] for each in last)
