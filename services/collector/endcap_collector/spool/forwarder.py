"""One log on its way to Kafka, in a thread of its own: read, send, note what is confirmed, remove."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.events.probes.line import is_probe
from endcap_collector.spool.backlog import Backlog
from endcap_collector.spool.places import Places
from endcap_collector.spool.sending import Reason, Refusal, Sending
from endcap_collector.spool.spool_files import Part, SpoolFiles

Bury = Callable[[bytes, str, str], None]
"""Keeps a line elsewhere, given where it came from and what Kafka said of it; DependencyUnavailable while that cannot be done."""

_log = get_logger("spool")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a forwarder goes.

    Attributes:
        part_bytes: that are under way at once; what is sent again when the process is killed meanwhile is this at most.
        look_seconds: between two looks while nothing waits.
        again_seconds: between two tries of what Kafka or the disk refused.
        complain_seconds: shortest time between two log lines about trouble.
        remove_seconds: between two looks for files that may go.
        keep_seconds: how long a file stays after its last line when Kafka has all of it; None for ever.
    """

    part_bytes: int = 256 * 1024
    look_seconds: float = 0.05
    again_seconds: float = 5.0
    complain_seconds: float = 60.0
    remove_seconds: float = 1.0
    keep_seconds: float | None = 3_600.0


@dataclass(frozen=True, slots=True)
class Observed:
    """What a forwarder reports, from its thread.

    Attributes:
        confirmed: called with the number of messages that Kafka confirmed.
        refused: called with a reason and the number of messages, each time that Kafka refuses them.
        bury: called with a line that is too large for Kafka; the forwarder goes on after it.
        probe: called with each probe that Kafka confirmed, which is no message to count; None where a log has none.
    """

    confirmed: Callable[[int], None]
    refused: Callable[[Reason, int], None]
    bury: Bury
    probe: Callable[[bytes], None] | None = None


class Forwarder:
    """Sends the files of one log to one topic, in the order in which they were begun.

    Args:
        name: of the log, for log lines and the thread.
        files: of the log.
        places: how far Kafka confirmed them.
        backlog: what waits.
        sending: the topic's producer.
        observed: what is reported.
        pace: how it goes.
        clock: the present, UTC.

    Raises:
        OSError: the folder cannot be read.
    """

    def __init__(
        self,
        name: str,
        *,
        files: SpoolFiles,
        places: Places,
        backlog: Backlog,
        sending: Sending,
        observed: Observed,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._name = name
        self._files, self._places, self._backlog = files, places, backlog
        self._sending, self._observed = sending, observed
        self._pace, self._clock = pace, clock
        self._closing = threading.Event()
        self._give_up_at = float("inf")
        self._complain_at = self._remove_at = 0.0
        self._unended: dict[str, int] = {}
        self._done: set[str] = set()
        self._thread = threading.Thread(target=self._run, name=f"spool-{name}", daemon=True)
        self._follow()
        self._count()

    def start(self) -> None:
        """Begin to send; what lies there comes first."""
        self._thread.start()

    def close(self, give_up_at: float) -> None:
        """Send what waits, as far as there is time, and stop; the rest stays on the disk.

        Args:
            give_up_at: by `time.monotonic`.
        """
        self._give_up_at = give_up_at
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._sending.close()

    def _run(self) -> None:
        while not self._is_over():
            is_closing = self._closing.is_set()
            try:
                has_sent = self._round()
            except Exception as error:
                self._complain(f"{type(error).__name__}: {error}")
                has_sent = False
                self._closing.wait(self._pace.again_seconds)
            if not has_sent:
                if is_closing:
                    return
                self._closing.wait(self._pace.look_seconds)

    def _round(self) -> bool:
        """Send the next part; whether there was one, and it is settled."""
        self._follow()
        self._remove_old()
        part = self._next_part()
        if part is None:
            self._backlog.oldest_at = None
            self._sending.serve()
            return False
        self._backlog.oldest_at = part.came_at
        return self._is_settled(part)

    def _follow(self) -> None:
        if self._places.follow(self._files.look()):
            self._done.intersection_update(self._places.in_order())
            self._count()

    def _count(self) -> None:
        """Count what waits anew: at the start, and when somebody else removed files."""
        self._backlog.remove(self._backlog.bytes, self._backlog.lines)
        for name in self._places.in_order():
            waiting = self._files.waiting(name, self._places[name])
            self._backlog.add_beyond(waiting.bytes, waiting.lines)

    def _next_part(self) -> Part | None:
        for name in self._places.in_order():
            if name in self._done:
                continue
            if self._is_whole(name):
                if self._files.is_finished(name):
                    self._done.add(name)
                continue
            size = self._files.size(name)
            part = self._files.read(name, self._places[name], size, self._pace.part_bytes)
            if part is not None:
                return part
            # The writer of the unended line was killed: nobody was answered.
            self._unended[name] = size
        return None

    def _is_whole(self, name: str) -> bool:
        """Whether Kafka has all lines of a file, as far as it was written."""
        size = self._files.size(name)
        return self._places[name] >= size or self._unended.get(name) == size

    def _is_settled(self, part: Part) -> bool:
        """Send a part until each line is confirmed, or kept elsewhere; whether that was done before the time was over."""
        left = list(range(len(part.lines)))
        settled = 0
        while left:
            refused = self._sent(part, left)
            left = sorted(refused)
            before, settled = settled, left[0] if left else len(part.lines)
            self._note(part, before, settled)
            if left and not self._has_waited(refused):
                return False
        return True

    def _sent(self, part: Part, places: Sequence[int]) -> Mapping[int, Refusal]:
        """Send lines of a part; those that are not settled, by their places."""
        unsettled: dict[int, Refusal] = {}
        refused = self._sending.send([part.lines[place] for place in places], self._is_over)
        confirmed = [place for at, place in enumerate(places) if at not in refused]
        for at, why in sorted(refused.items()):
            # Kafka refuses a whole batch for its size: each line is tried alone before it counts as too large.
            last = self._sending.send([part.lines[places[at]]], self._is_over).get(0) if _is_of_batch(why, places) else why
            if last is None:
                confirmed.append(places[at])
            elif last.reason is not Reason.TOO_LARGE or not self._is_buried(part, places[at], last):
                unsettled[places[at]] = last
        self._report([part.lines[place] for place in confirmed])
        return unsettled

    def _report(self, confirmed: Sequence[bytes]) -> None:
        note = self._observed.probe
        probes = [] if note is None else [line for line in confirmed if is_probe(line)]
        self._observed.confirmed(len(confirmed) - len(probes))
        if note is not None:
            for line in probes:
                note(line)

    def _is_buried(self, part: Part, place: int, why: Refusal) -> bool:
        try:
            self._observed.bury(part.lines[place], f"{part.name} {part.end_of(place)}", why.said)
        except DependencyUnavailable as error:
            self._complain(error.message)
            return False
        self._observed.refused(Reason.TOO_LARGE, 1)
        return True

    def _note(self, part: Part, before: int, settled: int) -> None:
        """The first lines of a part are settled up to a place: they wait no more."""
        if settled == before:
            return
        end = part.end_of(settled)
        self._backlog.remove(end - self._places[part.name], settled - before)
        self._places[part.name] = end
        self._save()

    def _save(self) -> None:
        try:
            self._places.save()
        except OSError as error:
            # Not worth a pause: the next place says this one too.
            self._complain(f"the disk refused the place: {error.strerror}")

    def _has_waited(self, refused: Mapping[int, Refusal]) -> bool:
        """Wait before what Kafka refused is tried again, by a client that asks anew; whether there is time to try."""
        for reason, count in Counter(why.reason for why in refused.values()).items():
            if reason not in (Reason.NO_ANSWER, Reason.TOO_LARGE):
                self._observed.refused(reason, count)
        self._complain(next(iter(refused.values())).said)
        if self._closing.wait(self._pace.again_seconds):
            return False
        self._sending.renew()
        return True

    def _remove_old(self) -> None:
        """Remove files that Kafka has whole and whose time is over."""
        keep = self._pace.keep_seconds
        if keep is None or monotonic() < self._remove_at:
            return
        self._remove_at = monotonic() + self._pace.remove_seconds
        before = self._clock().timestamp() - keep
        old = [name for name in self._places.in_order() if not self._files.is_written(name) and self._is_whole(name)]
        for name in old:
            if self._files.written_at(name) < before:
                self._files.remove(name)
                self._places.forget(name)
                self._unended.pop(name, None)
                self._done.discard(name)

    def _is_over(self) -> bool:
        return monotonic() >= self._give_up_at

    def _complain(self, reason: str) -> None:
        if monotonic() >= self._complain_at:
            self._complain_at = monotonic() + self._pace.complain_seconds
            _log.warning("not sent to Kafka; it waits", log=self._name, reason=reason, events=self._backlog.lines)


def _is_of_batch(why: Refusal, places: Sequence[int]) -> bool:
    return why.reason is Reason.TOO_LARGE and len(places) > 1
