import threading
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from endcap.core.settings import OutcomeSettings, Settings
from endcap.engine.exploration.counting import EvidenceRule, count_evidence
from endcap.events.outcomes.day_tables import read_outcomes
from endcap.events.outcomes.journal_store import JournalStore
from endcap_stream.outcome_tables import EVIDENCE_FILE, OutcomeTables
from tests.endcap.events.outcomes.driven import deliver, lists
from tests.endcap.events.outcomes.made_events import START, event, frame

ROWS = [event("impression", 1, 0), event("impression", 2, 0, item_id="B", position=4), event("click", 3, 2, request_id="r1")]


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START + timedelta(minutes=5)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, outcomes=OutcomeSettings(write_seconds=60))


@pytest.fixture
def store(settings: Settings) -> JournalStore:
    return JournalStore(settings.outcomes_dir)


def test_evidence_is_what_the_events_say_and_no_file_is_carried(settings: Settings, store: JournalStore) -> None:
    deliver(store, *ROWS)
    hand = Hand()
    OutcomeTables(store, settings, hand).look()
    written = pl.read_parquet(settings.live_dir / EVIDENCE_FILE)
    assert_frame_equal(written, count_evidence(frame(ROWS), hand.now, EvidenceRule(settings.exploration.half_life_days)))
    assert len(written) == 2


def test_evidence_of_earlier_days_stays_after_a_restart(settings: Settings, store: JournalStore) -> None:
    deliver(store, *ROWS)
    hand = Hand()
    OutcomeTables(store, settings, hand).look()
    hand.now += timedelta(days=3)
    later = [event("impression", 9, 60 * 24 * 3, request_id="r9"), event("click", 10, 60 * 24 * 3 + 1, request_id="r9")]
    deliver(store, *later)
    OutcomeTables(store, settings, hand).look()
    written = pl.read_parquet(settings.live_dir / EVIDENCE_FILE)
    assert_frame_equal(written, count_evidence(frame(ROWS + later), hand.now, EvidenceRule(settings.exploration.half_life_days)))


def test_what_may_not_be_used_for_personalisation_is_no_evidence(settings: Settings, store: JournalStore) -> None:
    deliver(
        store, event("impression", 1, 0), event("impression", 2, 0, request_id="r2", consent=False), event("click", 3, 1, consent=False)
    )
    OutcomeTables(store, settings, Hand()).look()
    assert pl.read_parquet(settings.live_dir / EVIDENCE_FILE).select("item_id", "clicks").rows() == [("A", 0.0)]


def test_tables_are_written_when_it_is_time_and_lists_counted_at_every_look(settings: Settings, store: JournalStore) -> None:
    hand = Hand()
    tables = OutcomeTables(store, settings, hand, hand.seconds)
    tables.look()
    deliver(store, *ROWS)
    hand.now += timedelta(seconds=59)
    tables.look()
    assert read_outcomes(settings.outcomes_dir).is_empty()
    hand.now = START + timedelta(minutes=30)
    tables.look()
    assert len(read_outcomes(settings.outcomes_dir)) == 6
    assert lists(store.totals()) == {("7", "home"): (1, 1, 0)}


def test_what_changed_is_written_before_the_end(settings: Settings, store: JournalStore) -> None:
    hand = Hand()
    tables = OutcomeTables(store, settings, hand)
    tables.look()
    deliver(store, *ROWS)
    stop = threading.Event()
    stop.set()
    tables.run(stop)
    assert len(read_outcomes(settings.outcomes_dir)) == 6


def test_a_disk_that_refuses_does_not_end_the_stream(settings: Settings, store: JournalStore) -> None:
    deliver(store, *ROWS)
    settings.live_dir.parent.mkdir(parents=True, exist_ok=True)
    settings.live_dir.write_text("in the way")
    stop = threading.Event()
    stop.set()
    OutcomeTables(store, settings, Hand()).run(stop)
    assert len(read_outcomes(settings.outcomes_dir)) == 6
