"""One step of a stream function with all that it forwards."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from endcap.events.stream.function import KEY, Instant, Step, StreamFunction, linked_keys, of_keys, without_keys
from endcap.events.stream.stepping import Stepped, stepped


def stepped_through(
    function: StreamFunction, state_of: Callable[[pl.Series], pl.DataFrame], events: pl.DataFrame, keys: pl.Series, at: Instant
) -> tuple[pl.Series, Stepped]:
    """Step some keys with those that are linked to them, then those that events are forwarded to, as `stepped` does.

    Args:
        function: what is stepped.
        state_of: the stored state of some keys.
        events: as `keyed` gives them.
        keys: text [k], distinct: those that have events, or are due.
        at: where the stream stands.

    Returns:
        All keys that were stepped, and what that gives as a whole: nothing is forwarded any more.
    """
    state = state_of(keys)
    if linked := linked_keys(function, state):
        more = pl.Series(KEY, linked, dtype=pl.String())
        keys = pl.concat([keys, more.filter(~more.is_in(keys.implode()))])
        state = state_of(keys)
    result = stepped(function, state, events, keys, at)
    whole, failures = result.step, list(result.failures)
    while not whole.forwarded.is_empty():
        to = whole.forwarded[KEY].unique()
        new = to.filter(~to.is_in(keys.implode()))
        state = pl.concat([of_keys(whole.state, to), state_of(new)])
        later = stepped(function, state, whole.forwarded, to, at)
        failures += later.failures
        keys = pl.concat([keys, new])
        whole = followed_by(whole, later.step, to, function.row_key)
    return keys, Stepped(replace(whole, forwarded=whole.forwarded.clear()), failures)


def followed_by(whole: Step, later: Step, keys: pl.Series, row_key: tuple[str, ...]) -> Step:
    """One step of what two gave, one after the other.

    Args:
        whole: the first one.
        later: the second one, of some keys that the first may have had too.
        keys: these keys.
        row_key: of the function.
    """
    return Step(
        state=pl.concat([without_keys(whole.state, keys), later.state]),
        rows=pl.concat([whole.rows, later.rows]).unique(row_key, keep="last", maintain_order=True),
        due=pl.concat([without_keys(whole.due, keys), later.due]),
        forwarded=later.forwarded,
    )
