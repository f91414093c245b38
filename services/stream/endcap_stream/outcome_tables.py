"""What is made of joined outcomes while the stream runs: totals, day tables, click evidence."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import polars as pl

from endcap.core.clock import Clock
from endcap.core.errors import EndcapError
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.engine.exploration.counting import EvidenceRule, evidence_of_outcomes, write_evidence
from endcap.events.outcomes.day_tables import read_outcomes, write_changed_days
from endcap.events.outcomes.examination import ASSUMED, Examination, measured_examination
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.windows import Windows

EVIDENCE_FILE = "click_evidence.parquet"

_COUNT_EVERY_SECONDS = 1.0
_MEASURE_EVERY = timedelta(hours=1)
_MEASURED_DAYS = 28


class OutcomeTables:
    """Counts lists whose time is over, and writes what others read.

    Args:
        store: where outcomes are kept.
        settings: all settings.
        clock: the present, UTC.
    """

    def __init__(self, store: JournalStore, settings: Settings, clock: Clock) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._list_window = timedelta(minutes=settings.outcomes.list_minutes)
        self._examination: Examination = ASSUMED
        self._measured_at: datetime | None = None
        self._written_at: datetime | None = None

    @contextmanager
    def kept_current(self) -> Iterator[None]:
        """In a thread until the block ends; what changed by then is written."""
        stop = threading.Event()
        thread = threading.Thread(target=self.run, args=(stop,), name="outcomes")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what changed by then is written. What fails is done again at the next look."""
        while True:
            is_last = stop.wait(_COUNT_EVERY_SECONDS)
            try:
                self.look(write=is_last)
            except (OSError, EndcapError, sqlite3.Error, pl.exceptions.PolarsError) as error:
                get_logger("outcomes").error("outcomes are not written; it is done again", reason=str(error))
            if is_last:
                return

    def look(self, *, write: bool = False) -> None:
        """One look; tables and evidence when it is time, or when `write` says so."""
        now = self._clock()
        self._store.count_lists(now, self._list_window)
        if not write and self._written_at is not None and (now - self._written_at).total_seconds() < self._settings.outcomes.write_seconds:
            return
        self._written_at = now
        self._store.forget(now - timedelta(days=self._settings.outcomes.keep_days))
        write_changed_days(self._settings.outcomes_dir, self._store)
        self._write_evidence(now)

    def _write_evidence(self, now: datetime) -> None:
        if self._measured_at is None or now - self._measured_at >= _MEASURE_EVERY:
            self._examination = measured_examination(
                read_outcomes(self._settings.outcomes_dir, (now - timedelta(days=_MEASURED_DAYS)).date())
            )
            self._measured_at = now
        windows = Windows.of(self._settings.outcomes)
        rule = EvidenceRule(self._settings.exploration.half_life_days, self._examination, windows.click)
        counted = evidence_of_outcomes(*self._store.consented(now - timedelta(days=self._settings.outcomes.keep_days)), now, rule)
        write_evidence(counted, self._settings.live_dir / EVIDENCE_FILE)
