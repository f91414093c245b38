"""One step of a stream function with all that it forwards."""

from collections.abc import Callable

import polars as pl

from endcap.events.stream.function import KEY, Instant, Step, StreamFunction


def stepped(
    function: StreamFunction, state_of: Callable[[pl.Series], pl.DataFrame], keys: pl.Series, events: pl.DataFrame, at: Instant
) -> tuple[pl.Series, Step]:
    """Step some keys, then those that events are forwarded to.

    Args:
        function: what is stepped.
        state_of: the stored state of some keys.
        keys: those that have events, or are due.
        events: as `keyed` gives them.
        at: where the stream stands.

    Returns:
        All keys that were stepped, and what that gives as a whole: nothing is forwarded any more.
    """
    whole = function.step(state_of(keys), events, at)
    while not whole.forwarded.is_empty():
        to = whole.forwarded[KEY].unique()
        known = to.is_in(keys.implode())
        state = pl.concat([_of(whole.state, to), state_of(to.filter(~known))])
        later = function.step(state, whole.forwarded, at)
        keys = pl.concat([keys, to.filter(~known)])
        whole = Step(
            state=pl.concat([_without(whole.state, to), later.state]),
            rows=pl.concat([whole.rows, later.rows]).unique(list(function.row_key), keep="last", maintain_order=True),
            due=pl.concat([_without(whole.due, to), later.due]),
            forwarded=later.forwarded,
        )
    return keys, whole


def _of(rows: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    return rows.filter(pl.col(KEY).is_in(keys.implode()))


def _without(rows: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    return rows.filter(~pl.col(KEY).is_in(keys.implode()))
