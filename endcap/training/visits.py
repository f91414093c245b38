"""What comes next in a visit: moments between two of its events, and the visitor as a request would know them then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.signals import event_type_of
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.training.training_set import TrainingSet

EVENTS_MIN = 2
"""A visit of one event has nothing that comes next."""
EVENTS_MAX = 200
"""Newest events of a visit that a moment knows."""


@dataclass(frozen=True)
class VisitMoments:
    """q moments; those of a visit together and in order.

    Attributes:
        visit_ids: of the visit of each.
        states: the visitors, with the visit up to the moment.
        next_item: int32 [q], the item of the next event.
        next_signal: uint8 [q], what that is, a code of `endcap.contracts.signals`.
    """

    visit_ids: list[str]
    states: list[UserState]
    next_item: NDArray[np.int32]
    next_signal: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.visit_ids)


@dataclass(frozen=True)
class Codes:
    """What states are written in.

    Attributes:
        items: a catalogue.
        user_vocabularies: by USER_CATEGORICAL column.
    """

    items: ItemTable
    user_vocabularies: Mapping[str, Vocabulary]


def visit_moments(  # noqa: PLR0917
    training: TrainingSet, at: datetime, until: datetime, most: int, rng: np.random.Generator, codes: Codes | None = None
) -> VisitMoments:
    """Moments of the visits that began within a time, with what was known of their people when it began.

    Args:
        training: of the run.
        at: visits begin from here on; a ranking window, the cut or the data's end, since people's features are of it.
        until: no event from here on is seen.
        most: so many are drawn where there are more.
        rng: of the draw.
        codes: of another bundle's states; None for those of the training set, which the next items are in in any case.
    """
    events = _sampled(_events(training.interactions, at, until), most, rng)
    chosen = np.flatnonzero(events["is_sampled"].to_numpy())
    rows = training.user_rows_at(at).filter(pl.col("user_id").is_in(events["user_id"].unique().implode()))
    codes = codes or Codes(training.items, training.user_vocabularies)
    columns = _Columns.of(training, codes, events, {row["user_id"]: row for row in rows.iter_rows(named=True)})
    return VisitMoments(
        visit_ids=events["session_id"].gather(chosen).to_list(),
        states=[columns.before(int(place)) for place in chosen],
        next_item=events["item_index"].to_numpy()[chosen].astype(np.int32),
        next_signal=events["signal"].to_numpy()[chosen],
    )


def _events(interactions: pl.LazyFrame, at: datetime, until: datetime) -> pl.DataFrame:
    """Events of visits of two or more that began in the time, a visit's together and in order, with their `step` from 0."""
    began_before = interactions.filter(pl.col("occurred_at") < at).select("session_id").unique()
    return (
        interactions.filter(pl.col("occurred_at") >= at, pl.col("occurred_at") < until, pl.col("signal") > 0)
        .join(began_before, on="session_id", how="anti", maintain_order="left")
        .filter(pl.len().over("session_id") >= EVENTS_MIN)
        .sort("session_id", "occurred_at", maintain_order=True)
        .with_columns(pl.int_range(pl.len()).over("session_id").alias("step"))
        .collect(engine="streaming")
    )


def _sampled(events: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """The events of visits with a moment in the sample, with `is_sampled`: whether the moment before the event is in it."""
    places = np.flatnonzero(events["step"].to_numpy() > 0)
    if len(places) > most:
        places = rng.choice(places, most, replace=False)
    is_sampled = np.zeros(len(events), dtype=bool)
    is_sampled[places] = True
    return events.with_columns(is_sampled=is_sampled).filter(pl.col("is_sampled").any().over("session_id"))


@dataclass(frozen=True)
class _Columns:
    """Events as lists: a state is made of a slice of each."""

    codes: Codes
    rows: Mapping[str, Mapping[str, Any]]
    users: list[str]
    items: list[str]
    kinds: list[str]
    seconds: list[int]
    moments: list[datetime]
    steps: list[int]

    @classmethod
    def of(cls, training: TrainingSet, codes: Codes, events: pl.DataFrame, rows: Mapping[str, Mapping[str, Any]]) -> "_Columns":
        names = training.item_rows["item_id"].gather(events["item_index"].cast(pl.Int64) - 1)
        return cls(
            codes,
            rows,
            events["user_id"].to_list(),
            names.to_list(),
            [event_type_of(code) for code in events["signal"].to_list()],
            events["occurred_at"].dt.epoch("s").to_list(),
            events["occurred_at"].to_list(),
            events["step"].to_list(),
        )

    def before(self, place: int) -> UserState:
        """The visitor just before an event, as of the event before it; a person is known from their features."""
        seen = slice(place - min(self.steps[place], EVENTS_MAX), place)
        return user_state(
            self.rows.get(self.users[place - 1]),
            self.codes.items,
            self.codes.user_vocabularies,
            self.moments[place - 1],
            self.items[seen],
            self.kinds[seen],
            session_occurred_at=self.seconds[seen],
        )
