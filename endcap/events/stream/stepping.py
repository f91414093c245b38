"""One function stepped, so that a key that it cannot take is left alone and all others go on."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from endcap.events.stream.function import KEY, Instant, LinkedStreamFunction, Step, StreamFunction, no_due


@dataclass(frozen=True, slots=True)
class Failure:
    """A key that a function could not take.

    Attributes:
        key: its state stays as it was, and it is due no more.
        event_ids: of its events, which the function does not count.
        error: what went wrong.
    """

    key: str
    event_ids: Sequence[str]
    error: Exception


@dataclass(frozen=True, slots=True)
class Stepped:
    """What came out.

    Attributes:
        step: of all keys, with the state of those that failed as it was.
        failures: keys that failed.
    """

    step: Step
    failures: Sequence[Failure]


def stepped(function: StreamFunction, state: pl.DataFrame, events: pl.DataFrame, keys: pl.Series, at: Instant) -> Stepped:
    """Step a function over keys; where it raises, over halves of them, down to the key that is at fault. Of one whose keys concern each
    other all fail together: a half might hold a visit without its person.

    Args:
        function: pure, so that it may be asked again.
        state: rows of the keys.
        events: as `keyed` gives them.
        keys: text [k], distinct: those that have events or are due.
        at: where the stream stands.
    """
    try:
        return Stepped(function.step(state, events, at), ())
    except Exception as error:
        if len(keys) <= 1 or isinstance(function, LinkedStreamFunction):
            ids = events["event_id"].to_list() if "event_id" in events.columns else []
            failure = Failure(str(keys[0]) if len(keys) == 1 else "", ids, error)
            return Stepped(nothing(function, state), (failure,))
    middle = len(keys) // 2
    halves = [_of_keys(function, state, events, part, at) for part in (keys[:middle], keys[middle:])]
    return Stepped(
        Step(
            state=pl.concat([half.step.state for half in halves]),
            rows=pl.concat([half.step.rows for half in halves]),
            due=pl.concat([half.step.due for half in halves]),
            # A half that forwards nothing may name no columns.
            forwarded=pl.concat([half.step.forwarded for half in halves], how="diagonal"),
        ),
        [failure for half in halves for failure in half.failures],
    )


def nothing(function: StreamFunction, state: pl.DataFrame) -> Step:
    """A step that changes nothing and says nothing."""
    return Step(state, function.row_schema.to_frame(), no_due())


def _of_keys(function: StreamFunction, state: pl.DataFrame, events: pl.DataFrame, keys: pl.Series, at: Instant) -> Stepped:
    wanted = keys.to_frame(KEY)
    return stepped(function, state.join(wanted, on=KEY, how="semi"), events.join(wanted, on=KEY, how="semi"), keys, at)
