"""A collector that is killed under load: what it answered is there, once."""

import json
import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import httpx
import pytest

from endcap.contracts.event_type import EventType
from endcap.events.log.reader import read_events
from tests.endcap.events.sent_events import sent
from tests.seeds import SEEDS
from tests.services.collector.collector_process import CollectorProcess

SENDERS = 4
EACH = 400


def batches(sender: int) -> list[list[dict[str, object]]]:
    now = datetime.now(UTC)
    return [[sent(EventType.PAGE_VIEW, now, f"{sender} {number} {place}") for place in range(3)] for number in range(EACH)]


def send_all(
    address: str, all_batches: list[list[dict[str, object]]], answered: list[object], enough: threading.Event, at: int, *, key: str = ""
) -> None:
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


@pytest.mark.processes
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_before_a_kill_is_there_once(tmp_path: Path, seed: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    collector = CollectorProcess(home)
    work = [batches(sender) for sender in range(SENDERS)]
    answered: list[object] = []
    enough = threading.Event()
    at = Random(seed).randrange(100, 1_500)
    threads = [threading.Thread(target=send_all, args=(collector.address, each, answered, enough, at)) for each in work]
    for thread in threads:
        thread.start()
    assert enough.wait(120)
    assert collector.end(signal.SIGKILL) == -signal.SIGKILL
    for thread in threads:
        thread.join()
    kept = read_events(home / "events").collect()["event_id"].to_list()
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))

    again = CollectorProcess(home)
    for each in work:
        send_all(again.address, each, [], threading.Event(), sys.maxsize)
    assert again.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    kept = read_events(home / "events").collect()["event_id"].to_list()
    assert len(kept) == len(set(kept)) == SENDERS * EACH * 3
