"""A collector that is killed under load: what it answered is there, once."""

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from endcap.contracts.event_type import EventType
from endcap.events.log.reader import read_events
from tests.endcap.events.sent_events import sent
from tests.seeds import SEEDS
from tests.services.collector.collector_process import CollectorProcess
from tests.services.senders import send_all, sending

SENDERS = 4
EACH = 400


def batches(sender: int) -> list[list[dict[str, object]]]:
    now = datetime.now(UTC)
    return [[sent(EventType.PAGE_VIEW, now, f"{sender} {number} {place}") for place in range(3)] for number in range(EACH)]


@pytest.mark.processes
@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_before_a_kill_is_there_once(tmp_path: Path, seed: int) -> None:
    home = tmp_path / "home"
    home.mkdir()
    collector = CollectorProcess(home)
    work = [batches(sender) for sender in range(SENDERS)]
    answered: list[object] = []
    with sending(collector.address, work, answered, Random(seed).randrange(100, 1_500), "the kill", within_s=120):
        assert collector.end(signal.SIGKILL) == -signal.SIGKILL
    kept = read_events(home / "events").collect()["event_id"].to_list()
    assert set(answered) <= set(kept)
    assert len(kept) == len(set(kept))

    again = CollectorProcess(home)
    for each in work:
        send_all(again.address, each, [], threading.Event(), sys.maxsize)
    assert again.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    kept = read_events(home / "events").collect()["event_id"].to_list()
    assert len(kept) == len(set(kept)) == SENDERS * EACH * 3
