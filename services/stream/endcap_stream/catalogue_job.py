"""The loop over the catalogue's log: look, step, store, deliver; in a thread beside that of events."""

import threading
import time
from collections.abc import Callable

from endcap.catalogue.changes.driver import CatalogueDriver
from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.subscription import Sink
from endcap_stream.followers import catalogue_follower
from endcap_stream.metrics import CATALOGUE_LOG, StreamMetrics
from endcap_stream.rounds import run_rounds

ITEM_CHANGES = "item_changes"
LOOK_EVERY_SECONDS = 0.2
AGAIN_SECONDS = 1.0
"""After a step that failed."""


class CatalogueJob:
    """Follows changes of items. A disk that refuses or a sink that is away makes them wait.

    Args:
        settings: all settings.
        sink: where rows of `ItemChanges` go.
        metrics: where it is counted.
        clock: the present, UTC.
        timer: monotonic seconds.

    Raises:
        InvalidInput: the state that is there does not fit, or Kafka's settings cannot be used.
        DependencyUnavailable: another process has the state, or the disk refused.
    """

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        metrics: StreamMetrics,
        clock: Clock = system_clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._driver = CatalogueDriver(settings.stream_dir / "catalogue", clock)
        self._follower = catalogue_follower(settings, metrics, clock)
        every = {ITEM_CHANGES: settings.counters.deliver_seconds}
        self._delivery = Delivery(
            self._driver.outboxes, {ITEM_CHANGES: sink}, lambda name: metrics.undelivered.labels(name).inc(), timer, every
        )
        self._metrics = metrics
        self._places = dict(self._driver.places())

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then what waits is delivered, as far as there is time."""
        run_rounds(stop, self._round, self._delivery, self._let_go)

    def _let_go(self) -> None:
        self._follower.close()
        self._driver.close()

    def _round(self) -> float:
        try:
            arrived = self._follower.look(self._places)
            if not arrived.is_nothing:
                taken = self._driver.step(arrived)
                arrived.note_in(self._places)
                self._metrics.item_changes.inc(taken.changes)
                self._metrics.item_changes_rejected.inc(taken.refused)
        except (OSError, DependencyUnavailable) as error:
            self._metrics.failures.inc()
            get_logger("stream").error("a step over the catalogue's log failed; it is done again", reason=str(error), seconds=AGAIN_SECONDS)
            return AGAIN_SECONDS
        self._delivery.hand_over()
        self._metrics.cut_off.labels(CATALOGUE_LOG).set(arrived.is_cut_off)
        self._metrics.waiting.labels(ITEM_CHANGES).set(self._driver.outboxes[ITEM_CHANGES].waiting())
        return 0.0 if arrived.is_behind else LOOK_EVERY_SECONDS
