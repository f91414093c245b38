"""Sends the week over HTTP, side by side, and goes on with a request until the collector answered it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import orjson

from endcap.contracts.moment import utc_text
from endcap.core.polling import poll
from tests.events_week.made_visit import Event
from tests.events_week.made_week import Sending

SENDERS = 4
GIVEN_UP_SECONDS = 600
"""A collector that is away for longer is not coming back."""


@dataclass
class Answers:
    """What the collector said, by all senders.

    Attributes:
        counts: `accepted`, `duplicates`, as it counted.
        refused: what it refused, with the reason.
        requests: how many requests are answered.
        failure: what ended a sender.
    """

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[Any] = field(default_factory=list)
    requests: int = 0
    failure: BaseException | None = None
    _changing: threading.Condition = field(default_factory=threading.Condition)

    def note(self, answer: dict[str, Any]) -> None:
        with self._changing:
            self.counts.update({name: answer[name] for name in ("accepted", "duplicates")})
            self.refused += answer["refused"]
            self.requests += 1
            self._changing.notify_all()

    def fail(self, failure: BaseException) -> None:
        with self._changing:
            self.failure = failure
            self._changing.notify_all()

    def wait_for(self, requests: int) -> None:
        """Return when so many requests are answered."""
        with self._changing:
            assert self._changing.wait_for(lambda: self.failure or self.requests >= requests, GIVEN_UP_SECONDS), f"{self.requests} answers"
            assert self.failure is None, self.failure


@contextmanager
def sending(week: Sequence[Sending], address: Callable[[], str], keys: tuple[str, str]) -> Iterator[Answers]:
    """Send while the block runs; all is answered when it ends.

    Args:
        week: requests, in their order.
        address: of the collector that there is at the moment.
        keys: the server's, and the transformer's for what was shown.
    """
    answers = Answers()
    threads = [threading.Thread(target=_send, args=(week[number::SENDERS], address, keys, answers)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        for thread in threads:
            thread.join()
    assert answers.failure is None, answers.failure


def _send(part: Sequence[Sending], address: Callable[[], str], keys: tuple[str, str], answers: Answers) -> None:
    try:
        with httpx.Client(trust_env=False, timeout=30) as client:
            for request in part:
                headers = {"content-type": "application/json", "authorization": f"Bearer {keys[request.is_shown]}"}
                answers.note(_answered(client, address, headers, body_of(request.events)))
    except BaseException as failure:
        answers.fail(failure)
        raise


def _answered(client: httpx.Client, address: Callable[[], str], headers: dict[str, str], body: bytes) -> dict[str, Any]:
    def answer() -> httpx.Response | None:
        found = client.post(f"{address()}/v1/events", content=body, headers=headers)
        return None if found.status_code in (429, 503) else found

    found = poll(answer, every_s=0.05, within_s=GIVEN_UP_SECONDS, is_there=lambda it: it is not None, again_on=httpx.HTTPError)
    assert found is not None and found.status_code == 200, found and found.text
    said: dict[str, Any] = found.json()
    return said


def body_of(events: Sequence[Event]) -> bytes:
    """As a shop's server writes it; what is not known is left out."""
    return orjson.dumps([{name: _told(value) for name, value in event.items() if value is not None} for event in events])


def _told(value: Any) -> Any:
    return utc_text(value) if isinstance(value, datetime) else value
