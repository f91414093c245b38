"""What drives the functions: a batch of events in, states and rows stored together, rows on their way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from endcap.core.clock import Clock
from endcap.core.log import get_logger
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.reader import event_schema
from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.buried import LETTER_KEY, LETTER_SCHEMA, LETTERS, letters_of
from endcap.events.stream.counting import Counting, LeftOut, newest_of
from endcap.events.stream.following import Arrived
from endcap.events.stream.forwarding import stepped_through
from endcap.events.stream.function import KEY, Instant, Step, no_due
from endcap.events.stream.lines import MADE_AT
from endcap.events.stream.outbox import Outbox
from endcap.events.stream.state_store import Progress, Stated, StateStore
from endcap.events.stream.stepping import Failure
from endcap.events.stream.subscription import Subscription, allowed

DUE_AT_ONCE = 10_000
"""Keys of one function that one step takes because they are due."""


@dataclass(frozen=True, slots=True)
class DriverRules:
    """What counts.

    Attributes:
        delay: between the newest event and the watermark.
        bots: limits of what a person does.
    """

    delay: timedelta = timedelta(hours=2)
    bots: BotRules = field(default_factory=BotRules)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one step did.

    Attributes:
        events: how many counted.
        left_out: how many did not, by reason.
        placeholder_ids: how many had an id that stands for none.
        broken: lines that were no events.
        failed: events that a function could not take, counted by function.
        at: where the stream stands now.
    """

    events: int
    left_out: Mapping[LeftOut, int]
    placeholder_ids: int
    broken: int
    failed: Mapping[str, int]
    at: Instant


class Driver:
    """Runs functions over what arrives; for one thread.

    Args:
        folder: where the state lies; None keeps it in memory.
        subscriptions: what is run, each name once.
        seal: of dead letters.
        clock: the present, UTC.
        rules: what counts.

    Raises:
        InvalidInput: the state that is there does not fit the functions.
        DependencyUnavailable: another process has the state, or the disk refused.
    """

    def __init__(
        self, folder: Path | None, subscriptions: Sequence[Subscription], seal: Seal, clock: Clock, rules: DriverRules | None = None
    ) -> None:
        rules = rules or DriverRules()
        bots = Bots(rules.bots)
        self._subscriptions = subscriptions
        self._counting = Counting(bots, rules.delay)
        self._seal, self._clock = seal, clock
        functions = [each.function for each in subscriptions]
        self._store = StateStore(
            folder,
            {bots.name: bots.state_schema, **{each.name: each.state_schema for each in functions}},
            {LETTERS: (LETTER_SCHEMA, LETTER_KEY), **{each.name: (each.row_schema, each.row_key) for each in functions}},
        )

    @property
    def outboxes(self) -> Mapping[str, Outbox]:
        """Rows that wait, by function, and dead letters."""
        return self._store.outboxes

    def places(self) -> Mapping[str, int]:
        """Bytes that were read, by file of the log, or offsets of next messages, by topic and partition."""
        return self._store.places()

    def keys(self, function: str) -> int:
        """How many keys a function knows something of."""
        return self._store.keys(function)

    def is_due(self) -> bool:
        """Whether a step without events would do something."""
        return self._store.is_due(self._clock())

    def step(self, arrived: Arrived | None = None) -> Taken:
        """Take what arrived, and step what is due; when this returns all of it is stored.

        Args:
            arrived: None when nothing did.

        Raises:
            DependencyUnavailable: the disk refused; nothing changed, and the same may be taken again.
        """
        events = arrived.events if arrived else event_schema().to_frame()
        before = self._store.reached()
        kept, left_out, placeholder_ids = self._counting.in_time(events, before)
        seen_before = self._store.seen(kept["event_id"])
        new = kept.filter(~pl.col("event_id").is_in(seen_before.implode())) if len(seen_before) else kept
        left_out[LeftOut.DUPLICATE] += len(kept) - len(new)
        reached, at = self._at(newest_of(new, before), arrived)
        counted, left_out[LeftOut.BOT], bots = self._of_persons(new, at)
        stated, failures = self._stepped(counted, at)
        stated += self._of_probes(arrived) if arrived else []
        lines = arrived.broken if arrived else ()
        self._bury(stated, letters_of(lines, failures, counted, self._seal, self._clock()))
        places, gone = (arrived.places, arrived.gone) if arrived else ({}, ())
        seen = new.select("event_id", "occurred_at")
        self._store.commit(Progress([bots, *stated], seen, at.present, reached, at.watermark, places, gone))
        failed: dict[str, int] = {}
        for name, failure in failures:
            get_logger("stream").error("a function failed", function=name, error=repr(failure.error), events=len(failure.event_ids))
            failed[name] = failed.get(name, 0) + max(1, len(failure.event_ids))
        return Taken(len(counted), left_out, placeholder_ids, len(lines), failed, at)

    def say_again(self, function: str) -> int:
        """Make every key of a function due, so that the next steps say all of its rows that still hold; how many keys.

        Raises:
            DependencyUnavailable: the disk refused; nothing changed.
        """
        return self._store.make_all_due(function)

    def pass_over(self, arrived: Arrived) -> None:
        """Store how far the log was read where all that came were probes: nothing is stepped, and the watermark stays where it is.

        Args:
            arrived: probes only.

        Raises:
            DependencyUnavailable: the disk refused; nothing changed.
        """
        present, reached = self._store.present(), self._store.reached()
        watermark, nothing = self._counting.instant(reached).watermark, arrived.events.select("event_id", "occurred_at")
        self._store.commit(Progress(self._of_probes(arrived), nothing, present, reached, watermark, arrived.places, arrived.gone))

    def close(self) -> None:
        """Let go of the state."""
        self._store.close()

    def _at(self, newest: datetime, arrived: Arrived | None) -> tuple[datetime, Instant]:
        """The moment that the watermark goes by, and where the stream stands.

        Both go by the clock, unless the log has more: what waits there is of before. Where that cannot be seen, what is due goes on by the
        clock, and the watermark waits for events.
        """
        present = newest if arrived is not None and arrived.is_behind else max(newest, self._clock())
        reached = newest if arrived is not None and arrived.holds_watermark else present
        # Not before the step before: what was due by then is done.
        return reached, Instant(max(present, self._store.present()), self._counting.instant(reached).watermark)

    def _of_persons(self, events: pl.DataFrame, at: Instant) -> tuple[pl.DataFrame, int, Stated]:
        name = self._counting.bots.name
        keys = self._keys(events["session_id"], name, at)
        counted, bots, step = self._counting.of_persons(events, self._store.state(name, keys), at)
        return counted, bots, Stated(name, keys, step)

    def _stepped(self, events: pl.DataFrame, at: Instant) -> tuple[list[Stated], list[tuple[str, Failure]]]:
        stated: list[Stated] = []
        failures: list[tuple[str, Failure]] = []
        for each in self._subscriptions:
            function = each.function
            keyed = function.keyed(allowed(events, each.consent))
            keys = self._keys(keyed[KEY], function.name, at)
            if keys.is_empty():
                continue
            keys, result = stepped_through(function, partial(self._store.state, function.name), keyed, keys, at)
            stated.append(Stated(function.name, keys, result.step))
            failures += [(function.name, failure) for failure in result.failures]
        return stated, failures

    def _of_probes(self, arrived: Arrived) -> list[Stated]:
        """A row of the newest probe for each place that probes go to; no state."""
        newest = arrived.probes[MADE_AT].max()
        if not isinstance(newest, datetime):
            return []
        return [
            Stated(each.function.name, pl.Series(KEY, [], dtype=pl.String()), Step(each.function.state_schema.to_frame(), row, no_due()))
            for each in self._subscriptions
            if each.probe is not None
            for row in [each.probe.of(newest)]
        ]

    def _keys(self, of_events: pl.Series, name: str, at: Instant) -> pl.Series:
        """Keys of events, and those that are due, each once."""
        return pl.concat([of_events.alias(KEY), self._store.due_keys(name, at.present, DUE_AT_ONCE)]).unique(maintain_order=True)

    def _bury(self, stated: list[Stated], letters: pl.DataFrame) -> None:
        if len(letters):
            stated.append(Stated(LETTERS, letters["letter_id"], Step(pl.DataFrame(), letters, no_due())))
