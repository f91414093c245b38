"""A collector and a stream that are killed under load: each event is in its visit once."""

import shutil
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from endcap.contracts.event_type import EventType
from endcap.core.settings import Settings
from endcap.events.dead_letters.letters import letter_table
from endcap.events.log.reader import read_events
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.whole_log import run_to_end
from endcap.features.store.online import OnlineFeatures
from tests.endcap.events.sent_events import sent
from tests.seeds import SEEDS
from tests.services.running_parts import RunningParts, running_parts
from tests.services.senders import send_all, sending
from tests.services.stream.visits import require_visits

SENDERS, BATCHES, EVENTS, BATCHES_OF_A_VISIT = 4, 100, 3, 10
KILLS = 3


def batches(sender: int) -> list[list[dict[str, Any]]]:
    """What one sender sends: visits of thirty clicks, each of another item."""
    now = datetime.now(UTC)
    return [
        [
            sent(EventType.CLICK, now, f"{sender} {batch} {place}", session_id=visit(sender, batch), item_id=f"{sender}-{batch}-{place}")
            for place in range(EVENTS)
        ]
        for batch in range(BATCHES)
    ]


def visit(sender: int, batch: int) -> str:
    return f"visit {sender} {batch // BATCHES_OF_A_VISIT}"


def visits_of(online: OnlineFeatures) -> dict[str, list[str]]:
    """Items of each visit as a request would read them."""
    names = sorted({visit(sender, batch) for sender in range(SENDERS) for batch in range(BATCHES)})
    found = {name: online.read(None, name) for name in names}
    return {name: row["session"]["session_item_ids"] for name, row in found.items() if row and row["session"]}


@pytest.mark.processes
@pytest.mark.parametrize("seed", SEEDS)
def test_each_event_is_in_its_visit_once_whoever_is_killed(store_home: Path, tmp_path: Path, seed: int) -> None:
    home = Path(shutil.copytree(store_home, tmp_path / "home"))
    with running_parts(home) as parts:
        send_while_killed(parts, Random(seed))
        expected = {
            row["session_id"]: row["session_item_ids"]
            for row in run_to_end([Sessions()], read_events(home / "events").collect())["sessions"].iter_rows(named=True)
        }
        assert sum(len(items) for items in expected.values()) == SENDERS * BATCHES * EVENTS
        online = OnlineFeatures.open(Settings(home=home))
        require_visits(expected, lambda: visits_of(online))
        parts.end()
    assert letter_table(home / "dead_letters").filter(pl.col("key_id") == "stream").is_empty()
    assert visits_of(online) == expected


def send_while_killed(parts: RunningParts, random: Random) -> None:
    """All batches, again after each kill, and at last with nobody killed."""
    work = [batches(sender) for sender in range(SENDERS)]
    answered: list[object] = []
    for kill in range(KILLS):
        at = len(answered) + random.randrange(50, 400)
        with sending(parts.collector.address, work, answered, at, f"kill {kill}"):
            parts.kill_stream()
            if kill == 1:
                parts.kill_collector()
            parts.start_stream()
        if kill == 1:
            parts.start_collector()
    for each in work:
        send_all(parts.collector.address, each, [], threading.Event(), sys.maxsize)
