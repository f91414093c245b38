"""Recent items: what each person did lately, so that a request knows of a purchase of this minute what the batch features say tomorrow."""

import polars as pl

from endcap.contracts.signals import Signals
from endcap.events.stream.function import KEY, LINKED, Instant, Step
from endcap.events.stream.recent_events import CONSENT, PERSON, STATE, VISIT, adopted, due, held, is_person, kept, keyed
from endcap.events.stream.recent_rows import ROWS, recent_rows

RECENT_ITEMS = "recent_items"


class RecentItems:
    """One row a person: touches, and what was bought and taken back, of LIFE at most.

    Keys are persons, and visits for what names nobody. A visit's events are a person's from the moment on at which the person identifies in
    it (an identity event), not those before. Whenever a visit is stepped, all that its persons have of it is put in the place of what they
    had, so that it does not matter what comes first, the identity or what follows it.

    It needs the events without consent too: those that take consent back empty a person's row at once.

    Args:
        signals: how events teach the models, the same as for the batch features.
    """

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    @property
    def name(self) -> str:
        return RECENT_ITEMS

    @property
    def state_schema(self) -> pl.Schema:
        return STATE

    @property
    def row_schema(self) -> pl.Schema:
        return ROWS

    @property
    def row_key(self) -> tuple[str, ...]:
        return ("user_id",)

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events by person, or by visit where they name none."""
        return keyed(events)

    def linked(self, state: pl.DataFrame) -> pl.DataFrame:
        """The persons that identified in the visits at hand."""
        named = state.filter(~is_person(), pl.col("user_id").is_not_null())
        return named.select(KEY, (pl.lit(PERSON) + pl.col("user_id")).alias(LINKED)).unique()

    def key_of(self, rows: pl.DataFrame) -> pl.Series:
        """The person of each row."""
        return rows.select((pl.lit(PERSON) + pl.col("user_id")).alias(KEY)).to_series()

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        """Who did what by now."""
        came = events[KEY].unique()
        visits_that_went_on = came.filter(came.str.starts_with(VISIT))
        all_held = held(state, events)
        visits = all_held.filter(~is_person())
        theirs = adopted(visits.filter(pl.col(KEY).is_in(visits_that_went_on.implode())))
        persons = all_held.filter(is_person(), ~pl.col("origin").is_in(visits_that_went_on.implode()))
        after = kept(pl.concat([visits, persons, theirs]), at)
        stepped = pl.concat([came, state[KEY], theirs[KEY]]).unique(maintain_order=True)
        acts = after.filter(is_person(), ~pl.col("event_type").is_in(CONSENT))
        rows = recent_rows(stepped.filter(stepped.str.starts_with(PERSON)), acts, self._signals)
        return Step(state=after, rows=rows, due=due(after))
