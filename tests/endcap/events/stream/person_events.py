"""Events of few people, visits and items, so that much of it concerns the same; and a driver that steps as the stream does."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
from hypothesis import strategies as st

from endcap.contracts.event import Event
from endcap.contracts.tables import arrow_schema
from endcap.events.stream.function import DUE_AT, KEY, Instant, StreamFunction, linked_keys, no_due

Row = dict[str, Any]
START = datetime(2026, 11, 20, tzinfo=UTC)
SCHEMA = pl.Schema(pl.from_arrow(arrow_schema(Event).empty_table()).schema)


def event(number: int, kind: str, at_s: float, **given: Any) -> Row:
    moment = START + timedelta(seconds=at_s)
    return {
        "event_id": str(UUID(int=number)),
        "event_type": kind,
        "schema_version": 1,
        "occurred_at": moment,
        "received_at": moment,
        "user_id": "u",
        "session_id": "v",
        "item_id": "a",
        "quantity": 1.0,
        "consent": True,
        "consent_analytics": True,
    } | given


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Columns of the contract."""
    return pl.DataFrame([{name: row.get(name) for name in SCHEMA} for row in rows], schema=SCHEMA)


MADE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["purchase", "purchase", "product_view", "product_view", "add_to_cart", "remove_from_cart", "rating", "return", "cancellation"]
        ),
        "at": st.integers(0, 9_000),
        "session_id": st.sampled_from(["v1", "v2", "v3"]),
        "user_id": st.sampled_from(["u1", "u1", "u2", None]),
        "item_id": st.sampled_from(["a", "b", "c", "d"]),
        "quantity": st.sampled_from([1.0, 2.0, None]),
        "order_id": st.sampled_from([None, None, "o1", "o2"]),
        "rating": st.sampled_from([1.0, 3.0, 5.0]),
    }
)


def acts_of(made: Sequence[Row], first: int = 0) -> list[Row]:
    """Events from what MADE draws."""
    rows = []
    for number, drawn in enumerate(made, first):
        given = dict(drawn)
        kind, at = given.pop("kind"), given.pop("at")
        if kind == "purchase":
            given["quantity"] = given["quantity"] or 1.0
        if kind != "rating":
            given["rating"] = None
        rows.append(event(number, kind, at, **given))
    return rows


class SteppedByBatches:
    """Steps as the stream does: state by key, linked keys loaded along, keys that are due stepped without events."""

    def __init__(self, function: StreamFunction) -> None:
        self._function = function
        self.state = function.state_schema.to_frame()
        self.due = no_due()
        self.rows: dict[tuple[Any, ...], Row] = {}

    def take(self, events: pl.DataFrame, at: Instant) -> None:
        """One step of what came."""
        came = self._function.keyed(events)
        state = self._of(came[KEY].unique().to_list())
        self._step(pl.concat([state, self._of(linked_keys(self._function, state))]), came, at)

    def wait(self, at: Instant) -> None:
        """Step what is due by a moment."""
        while keys := self.due.filter(pl.col(DUE_AT) <= at.present)[KEY].to_list():
            self._step(self._of(keys), self._function.keyed(frame([])), at, keys)

    def _of(self, keys: Sequence[str]) -> pl.DataFrame:
        return self.state.filter(pl.col(KEY).is_in(list(keys)))

    def _step(self, state: pl.DataFrame, came: pl.DataFrame, at: Instant, due: Sequence[str] = ()) -> None:
        step = self._function.step(state, came, at)
        stepped = list({*state[KEY], *came[KEY], *step.state[KEY], *due})
        others = ~pl.col(KEY).is_in(stepped)
        self.state = pl.concat([self.state.filter(others), step.state])
        self.due = pl.concat([self.due.filter(others), step.due])
        for row in step.rows.iter_rows(named=True):
            self.rows[tuple(row[name] for name in self._function.row_key)] = row
