"""Senders of events, side by side, while something is killed."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

ENOUGH_SECONDS = 300
"""For some hundred answers, whatever else the machine does."""

Batches = Sequence[Sequence[Mapping[str, Any]]]


def send_all(address: str, all_batches: Batches, answered: list[object], enough: threading.Event, at: int, *, key: str = "") -> None:
    """Send batches until the collector is gone; what was answered is noted."""
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
    with httpx.Client(trust_env=False) as client:
        for batch in all_batches:
            try:
                answer = client.post(f"{address}/v1/events", content=json.dumps(batch), headers=headers)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                answered += [event["event_id"] for event in batch]
            if len(answered) >= at:
                enough.set()


@contextmanager
def sending(
    address: str, work: Sequence[Batches], answered: list[object], at: int, before: str, *, key: str = "", within_s: float = ENOUGH_SECONDS
) -> Iterator[None]:
    """Senders at work: the block runs once so many events were answered, and ends with the last sender.

    Args:
        address: of the collector.
        work: batches of each sender.
        answered: ids of events that the collector answered for; more are added.
        at: how many there are when the block begins.
        before: what the block does, for the failure when there are never so many.
        key: of the senders.
        within_s: how long they may take to get there.
    """
    enough = threading.Event()
    threads = [threading.Thread(target=send_all, args=(address, each, answered, enough, at), kwargs={"key": key}) for each in work]
    for thread in threads:
        thread.start()
    assert enough.wait(within_s), f"{len(answered)} of {at} events were answered before {before}"
    yield
    for thread in threads:
        thread.join()
