"""The stream's loop: look into the log, step, store, deliver."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.events.dead_letters.sealing import dead_letter_seal
from endcap.events.stream.bots import BotRules
from endcap.events.stream.buried import LETTERS, LetterSink
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver, DriverRules
from endcap.events.stream.following import Arrived
from endcap.events.stream.subscription import Sink, Subscription
from endcap_stream.followers import event_follower
from endcap_stream.metrics import EVENTS_LOG, StreamMetrics
from endcap_stream.probe_notes import ProbeNotes
from endcap_stream.probed_sink import probed
from endcap_stream.rounds import run_rounds
from endcap_stream.watched_sink import WatchedSink

LOOK_EVERY_SECONDS = 0.05
STEP_EVERY_SECONDS = 0.5
"""Between the beginnings of two steps, unless the log is behind: a step of 40 events costs as much as one of 100."""

AGAIN_SECONDS = 1.0
"""After a step that failed."""

_COUNT_EVERY_SECONDS = 5.0


class Job:
    """Runs functions over the event log, in one thread.

    Args:
        settings: all settings.
        subscriptions: what is run.
        registry: where it is counted.
        clock: the present, UTC.
        timer: monotonic seconds.

    Raises:
        InvalidInput: the state that is there does not fit the functions, a key is missing, or Kafka's settings cannot be used.
        DependencyUnavailable: another process has the state, or the disk refused.
    """

    def __init__(
        self,
        settings: Settings,
        subscriptions: Sequence[Subscription],
        registry: CollectorRegistry,
        clock: Clock = system_clock,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        chosen = settings.stream
        seal = dead_letter_seal(settings, may_make=settings.profile == "local")
        rules = DriverRules(timedelta(seconds=chosen.watermark_seconds), BotRules.of(chosen))
        functions = [each.function.name for each in subscriptions]
        self.metrics = StreamMetrics(registry, clock, functions, (*functions, LETTERS), settings.events.probe_seconds)
        sinks: dict[str, Sink] = {each.function.name: probed(each, self.metrics.stations) for each in subscriptions}
        sinks[LETTERS] = LetterSink(settings.dead_letter_dir)
        self._driver = Driver(settings.stream_dir, subscriptions, seal, clock, rules)
        self._follower = event_follower(settings, self.metrics, clock)
        every = {each.function.name: each.deliver_every for each in subscriptions}
        self._delivery = Delivery(
            *(self._driver.outboxes, sinks, lambda name: self.metrics.undelivered.labels(name).inc(), timer, every),
            recall=self._recall,
            watched=[each.function.name for each in subscriptions if isinstance(each.sink, WatchedSink)],
        )
        self._clock, self._timer = clock, timer
        self._places = dict(self._driver.places())
        self._probes = ProbeNotes(settings, self.metrics, self._places, clock)
        self._count_again_at = self._step_again_at = 0.0
        self.is_ready = False
        """Whether the newest step was stored."""

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then what waits is delivered, as far as there is time, and the state is let go of."""
        run_rounds(stop, self._round, self._delivery, self._let_go)

    def _let_go(self) -> None:
        self._follower.close()
        self._driver.close()

    def _round(self) -> float:
        """One look and what follows from it; seconds until the next one."""
        if self._timer() < self._step_again_at:
            self._delivery.hand_over()
            return LOOK_EVERY_SECONDS
        try:
            began, looked_at = self._timer(), self._clock()
            arrived = self._follower.look(self._places)
            self._probes.read(arrived)
            is_due = self._driver.is_due()
            if arrived.is_probes_only and not is_due:
                self._driver.pass_over(arrived)
                self._note_stored(arrived)
            elif not arrived.is_nothing or is_due:
                self.metrics.count(self._driver.step(arrived))
                self._note_stored(arrived)
                self.metrics.step_seconds.observe(self._timer() - began)
                self._step_again_at = 0.0 if arrived.is_behind else began + STEP_EVERY_SECONDS
        except (OSError, DependencyUnavailable) as error:
            self.is_ready = False
            self.metrics.failures.inc()
            get_logger("stream").error("a step failed; it is done again", reason=str(error), seconds=AGAIN_SECONDS)
            return AGAIN_SECONDS
        self.is_ready = True
        self._delivery.hand_over()
        self._count_waiting()
        self.metrics.cut_off.labels(EVENTS_LOG).set(arrived.is_cut_off)
        self._note_read(arrived, looked_at)
        return 0.0 if arrived.is_behind else LOOK_EVERY_SECONDS

    def _note_read(self, arrived: Arrived, looked_at: datetime) -> None:
        """All was read up to the look, unless more waits there, or may."""
        newest = arrived.events["received_at"].max()
        if not arrived.is_behind and not arrived.is_cut_off:
            self.metrics.read_until(looked_at)
        elif isinstance(newest, datetime):
            self.metrics.read_until(newest)

    def _recall(self, name: str) -> None:
        keys = self._driver.say_again(name)
        if keys:
            self.metrics.forgotten.labels(name).inc()
            get_logger("stream").warning("a sink lacks rows that it took; all that still hold come again", sink=name, keys=keys)

    def _note_stored(self, arrived: Arrived) -> None:
        arrived.note_in(self._places)
        self._probes.stored(arrived)

    def _count_waiting(self) -> None:
        """Now and then: it costs a look at the whole table."""
        if self._timer() < self._count_again_at:
            return
        self._count_again_at = self._timer() + _COUNT_EVERY_SECONDS
        for name, outbox in self._driver.outboxes.items():
            self.metrics.waiting.labels(name).set(outbox.waiting())
