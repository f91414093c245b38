"""The collector's three logs with their ways to Kafka."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from endcap.contracts import topics as contracts
from endcap.contracts.topics import CATALOGUE, EVENTS, REJECTED
from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.folder_lock import locked_folder
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.kafka_config import kafka_config
from endcap.events.log.topic_names import catalogue_topic, events_topic, rejected_topic
from endcap.events.probes.line import made_at
from endcap.events.probes.stations import Station
from endcap.events.schemas.value_format import ValueFormat, open_value_format
from endcap_collector.metrics import CollectorMetrics
from endcap_collector.spool.backlog import Backlog
from endcap_collector.spool.forwarder import Bury, Forwarder, Observed, Pace
from endcap_collector.spool.places import Places
from endcap_collector.spool.room import Room
from endcap_collector.spool.sending import Reason, Sending
from endcap_collector.spool.spool_files import SpoolFiles
from endcap_collector.spool.spooled_log import SpooledLog
from endcap_collector.spool.too_large import too_large_letter
from endcap_collector.spool.topic import Topic

CLOSE_SECONDS = 5.0
_BURY_SECONDS = 30.0
_log = get_logger("spool")


@dataclass(frozen=True)
class Topics:
    """Where each log goes."""

    events: Topic
    letters: Topic
    catalogue: Topic

    @classmethod
    def of(cls, settings: Settings) -> "Topics":
        """As the settings name them, else endcap's own."""
        return cls(
            events=Topic(events_topic(settings), ("user_id", "session_id"), has_probes=True),
            letters=Topic(rejected_topic(settings), ("letter_id",)),
            catalogue=Topic(catalogue_topic(settings), ("item_id",)),
        )


@dataclass(frozen=True)
class _Way:
    """One log and where it goes."""

    name: str
    log: SpooledLog
    backlog: Backlog
    topic: Topic


class Spool:
    """Opens the logs of one home folder and sends what they hold to Kafka.

    Args:
        settings: all settings, with a Kafka.
        metrics: where all is counted.
        seal: of dead letters.
        clock: the present, UTC.
        pace: how forwarders go; how long files stay is the settings' affair.
        topics: None for those of the settings.

    Attributes:
        events: what came in.
        letters: what was not taken. Its files stay as long as dead letters do, whatever Kafka has.
        catalogue: changes of items.

    Raises:
        InvalidInput: Kafka's settings cannot be used.
        DependencyUnavailable: another collector has this home, or the disk refused.
    """

    def __init__(
        self,
        settings: Settings,
        metrics: CollectorMetrics,
        seal: Seal,
        clock: Clock,
        *,
        pace: Pace | None = None,
        topics: Topics | None = None,
    ) -> None:
        self._settings, self._metrics, self._seal, self._clock = settings, metrics, seal, clock
        self._config = kafka_config(settings.events)
        self._pace = pace or Pace()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = locked_folder(settings.spool_dir, "another collector sends from this folder to Kafka")
        self._room = Room(settings.collector.spool_bytes_max)
        metrics.spool_limit.set(self._room.most)
        self._formats: list[ValueFormat] = []
        chosen = topics or self._framed(Topics.of(settings))
        events = self._way("events", settings.event_log_dir, chosen.events)
        letters = self._way("dead_letters", settings.dead_letter_dir, chosen.letters)
        catalogue = self._way("catalogue", settings.catalogue_log_dir, chosen.catalogue)
        self.events, self.letters, self.catalogue = events.log, letters.log, catalogue.log
        keep = settings.collector.spool_keep_seconds
        self._of_letters = self._forwarder(letters, self._leave, None)
        self._others = [self._forwarder(way, self._bury, keep) for way in (events, catalogue)]

    def start(self) -> None:
        """Begin to send; called in the event loop that the logs are written by."""
        self._loop = asyncio.get_running_loop()
        for forwarder in self._forwarders():
            forwarder.start()

    async def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """Send what waits, as far as there is time, and let go of the folder; the rest is sent by the next collector here."""
        await asyncio.to_thread(self._close, monotonic() + seconds)

    def _close(self, give_up_at: float) -> None:
        # What is too large for the others becomes a letter: those go last.
        for forwarder in (*self._others, self._of_letters):
            forwarder.close(give_up_at)
        for values in self._formats:
            values.close()
        os.close(self._lock)

    def _forwarders(self) -> Sequence[Forwarder]:
        return (self._of_letters, *self._others)

    def _framed(self, topics: Topics) -> Topics:
        """The same, whose values are framed where a schema registry is set."""

        def framed(log: str, topic: Topic, has: contracts.Topic) -> Topic:
            values = open_value_format(self._settings, topic.name, self._metrics.kafka_unframed.labels(log).inc, has)
            self._formats.append(values)
            return replace(topic, encode=values.encoded)

        return Topics(
            events=framed("events", topics.events, EVENTS),
            letters=framed("dead_letters", topics.letters, REJECTED),
            catalogue=framed("catalogue", topics.catalogue, CATALOGUE),
        )

    def _way(self, name: str, folder: Path, topic: Topic) -> _Way:
        backlog = Backlog(self._room)
        self._metrics.show_backlog(name, backlog, self._clock)
        return _Way(name, SpooledLog(folder, backlog, clock=self._clock, observe=self._metrics.sync_seconds.observe), backlog, topic)

    def _forwarder(self, way: _Way, bury: Bury, keep_seconds: float | None) -> Forwarder:
        name, log = way.name, way.log

        def refused(reason: Reason, count: int) -> None:
            self._metrics.kafka_refused.labels(name, reason.value).inc(count)

        try:
            return Forwarder(
                name,
                files=SpoolFiles(log.folder, log.synced),
                places=Places(self._settings.spool_dir / f"{name}.json"),
                backlog=way.backlog,
                sending=Sending(self._config, way.topic),
                observed=Observed(
                    self._metrics.kafka_confirmed.labels(name).inc, refused, bury, self._note_probe if way.topic.has_probes else None
                ),
                pace=replace(self._pace, keep_seconds=keep_seconds),
                clock=self._clock,
            )
        except OSError as error:
            raise DependencyUnavailable(f"the disk refused: {error.strerror}", field=str(log.folder), fix="free or mount it") from error

    def _note_probe(self, line: bytes) -> None:
        """From a forwarder's thread."""
        if (moment := made_at(line)) is not None:
            self._metrics.stations.note(Station.KAFKA, moment)

    def _bury(self, line: bytes, place: str, reason: str) -> None:
        """Keep a line as a dead letter; from a forwarder's thread."""
        assert self._loop is not None  # noqa: S101 - it is started
        letter = too_large_letter(line, place, reason, self._seal, self._clock())
        written = self.letters.write_beyond(f"{letter.model_dump_json(exclude_none=True)}\n".encode())
        asyncio.run_coroutine_threadsafe(written, self._loop).result(_BURY_SECONDS)
        self._metrics.refused.labels(letter.kind.value).inc()

    def _leave(self, line: bytes, place: str, reason: str) -> None:
        """A letter that is too large stays here, where `endcap deadletters` reads it."""
        _log.warning("a dead letter is too large for Kafka and stays on this disk", place=place, bytes=len(line), reason=reason)
