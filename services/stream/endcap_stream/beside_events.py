"""What runs beside the functions over events, whichever runner drives these: tables of outcomes, and changes of items."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from endcap.catalogue.changes.sink import ItemChangesSink
from endcap.core.clock import system_clock
from endcap.core.settings import Settings
from endcap.events.outcomes.journal_store import JournalStore
from endcap.release.bundle.served_catalogue import ServedCatalogue
from endcap_stream.catalogue_job import CatalogueJob
from endcap_stream.metrics import StreamMetrics
from endcap_stream.outcome_tables import OutcomeTables
from endcap_stream.rounds import beside


@contextmanager
def beside_events(settings: Settings, outcomes: JournalStore, metrics: StreamMetrics, stop: threading.Event) -> Iterator[None]:
    """Run both in threads of their own until the block ends; one that fails sets `stop`.

    Args:
        settings: all settings.
        outcomes: that tables are made of.
        metrics: where it is counted.
        stop: ends the following of items.

    Raises:
        InvalidInput: the state of items does not fit, or Kafka's settings cannot be used.
        DependencyUnavailable: another process has that state, or the disk refused.
    """
    known = ServedCatalogue(settings, system_clock).known
    catalogue = CatalogueJob(settings, ItemChangesSink(settings.live_dir, known, metrics.waiting_items.set), metrics)
    tables = OutcomeTables(outcomes, settings, system_clock)
    with (
        beside("outcomes", tables.run, threading.Event(), stop.set),
        beside("catalogue", catalogue.run, stop, stop.set),
    ):
        yield
