"""What is made of joined outcomes while the stream runs: totals, day tables, click evidence."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

import polars as pl

from endcap.core.clock import Clock
from endcap.core.errors import EndcapError
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.engine.exploration.counting import EvidenceRule, write_evidence
from endcap.engine.exploration.daily_evidence import DailyEvidence
from endcap.engine.exploration.evidence import EVIDENCE_FILE
from endcap.events.outcomes.day_tables import changed_days_written, read_outcomes
from endcap.events.outcomes.examination import ASSUMED, Examination, measured_examination
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.resolution import Journal
from endcap.events.outcomes.windows import Windows

_COUNT_EVERY_SECONDS = 1.0
_MEASURED_DAYS = 28
_PAUSE_FACTOR = 10
"""A writing that takes long is done less often, so that it takes a tenth of the time at most."""


class OutcomeTables:
    """Counts lists whose time is over, and writes what others read.

    Args:
        store: where outcomes are kept.
        settings: all settings.
        clock: the present, UTC.
        timer: monotonic seconds.
    """

    def __init__(self, store: JournalStore, settings: Settings, clock: Clock, timer: Callable[[], float] = time.monotonic) -> None:
        self._store, self._settings, self._clock = store, settings, clock
        self._list_window = timedelta(minutes=settings.outcomes.list_minutes)
        self._evidence = DailyEvidence(self._rule(ASSUMED))
        self._evidence_of: date | None = None
        self._timer = timer
        self._write_again_at: float | None = None

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
        now, began = self._clock(), self._timer()
        self._store.count_lists(now, self._list_window)
        if not write and self._write_again_at is not None and began < self._write_again_at:
            return
        self._write(now)
        took = self._timer() - began
        self._write_again_at = began + max(self._settings.outcomes.write_seconds, _PAUSE_FACTOR * took)

    def _write(self, now: datetime) -> None:
        if self._evidence_of != now.date():
            self._begin_day(now)
        for day, hours in changed_days_written(self._settings.outcomes_dir, self._store):
            self._count_evidence(day, hours)
        write_evidence(self._evidence.total(now), self._settings.live_dir / EVIDENCE_FILE)

    def _begin_day(self, now: datetime) -> None:
        """Forget what is too old, and count evidence of all days by what is known of places by now."""
        kept_from = now - timedelta(days=self._settings.outcomes.keep_days)
        self._store.forget(kept_from)
        measured = read_outcomes(self._settings.outcomes_dir, (now - timedelta(days=_MEASURED_DAYS)).date())
        self._evidence = DailyEvidence(self._rule(measured_examination(measured)))
        for day in self._store.days():
            self._count_evidence(day, self._store.hours_of(day))
        self._evidence_of = now.date()

    def _count_evidence(self, day: date, hours: Iterable[Journal]) -> None:
        consented = pl.col("consent")
        self._evidence.put(day, ((journal.places.filter(consented), journal.touches.filter(consented)) for journal in hours))

    def _rule(self, examination: Examination) -> EvidenceRule:
        return EvidenceRule(self._settings.exploration.half_life_days, examination, Windows.of(self._settings.outcomes).click)
