"""All events at once, from an empty state: what the stream says in the end, without a stream."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import polars as pl

from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.columns import BEGINNING
from endcap.events.stream.counting import Counting, newest_of
from endcap.events.stream.forwarding import stepped_through
from endcap.events.stream.function import DUE_AT, KEY, Instant, StreamFunction, no_due, of_keys, without_keys
from endcap.events.stream.subscription import NeededConsent, allowed

_DUE_STEPS_MAX = 10_000


def run_to_end(
    functions: Iterable[StreamFunction],
    events: pl.DataFrame,
    *,
    delay: timedelta | None = timedelta(hours=2),
    bots: BotRules | None = None,
    consent: Mapping[str, NeededConsent] | None = None,
) -> dict[str, pl.DataFrame]:
    """Rows of each function, the last one of each of its keys.

    Args:
        functions: by their names.
        events: columns of the contract `Event`, in the order of arrival; doubled and late ones are left out as in the stream.
        delay: between the newest event and the watermark; None to take all events in time.
        bots: limits; None for the defaults.
        consent: by name of a function; NeededConsent.PERSONALISATION for those that it lacks.

    Raises:
        RuntimeError: a function names a due moment again and again that is over.
    """
    counted, at = counted_events(events, delay, bots or BotRules())
    needs = consent or {}
    return {
        function.name: _rows(function, allowed(counted, needs.get(function.name, NeededConsent.PERSONALISATION)), at)
        for function in functions
    }


def counted_events(events: pl.DataFrame, delay: timedelta | None, bots: BotRules) -> tuple[pl.DataFrame, Instant]:
    """The events that count, each once and of persons, and where the stream stands after them.

    Args:
        events: as of `run_to_end`.
        delay: the same.
        bots: limits.
    """
    rule = Bots(bots)
    counting = Counting(rule, delay)
    kept, _, _ = counting.in_time(events, BEGINNING)
    present = newest_of(kept, BEGINNING)
    at = Instant(present, present - (delay or timedelta(0)))
    counted, _, _ = counting.of_persons(kept, rule.state_schema.to_frame(), at)
    return counted, at


def _rows(function: StreamFunction, events: pl.DataFrame, at: Instant) -> pl.DataFrame:
    keyed = function.keyed(events)
    state, due, rows = function.state_schema.to_frame(), no_due(), [function.row_schema.to_frame()]
    keys, events_of = keyed[KEY].unique(maintain_order=True), keyed
    for _ in range(_DUE_STEPS_MAX):
        stored = state
        keys, result = stepped_through(function, lambda which: of_keys(stored, which), events_of, keys, at)  # noqa: B023 - called at once
        for failure in result.failures:
            raise failure.error
        state = pl.concat([without_keys(state, keys), result.step.state])
        due = pl.concat([without_keys(due, keys), result.step.due])
        rows.append(result.step.rows)
        keys, events_of = due.filter(pl.col(DUE_AT) <= at.present)[KEY], keyed.clear()
        if keys.is_empty():
            return pl.concat(rows).unique(function.row_key, keep="last", maintain_order=True)
    raise RuntimeError(f"{function.name}: keys stay due; a step at {at.present} must name later moments")
