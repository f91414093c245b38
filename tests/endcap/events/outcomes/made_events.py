"""Events of a few people who are shown a few items, and the way a person would join them by hand."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
from hypothesis import strategies as st

from endcap.events.log.reader import event_schema
from endcap.events.outcomes.examination import EXAMINATION_POWER
from endcap.events.outcomes.windows import FOLLOWS, NAMED_ONLY, Windows

START = datetime(2026, 11, 2, 8, tzinfo=UTC)
END = START + timedelta(days=30)

Row = dict[str, Any]


def event(kind: str, number: int, minutes: float, item_id: str | None = "A", **fields: Any) -> Row:
    """One stored event, `minutes` after START; `number` makes its id."""
    moment = START + timedelta(minutes=minutes)
    row = dict.fromkeys(event_schema().names()) | {
        "event_id": str(UUID(int=number)),
        "event_type": kind,
        "schema_version": 1,
        "occurred_at": moment,
        "received_at": moment,
        "session_id": "s1",
        "item_id": item_id,
        "consent": True,
        "consent_analytics": True,
    }
    if kind == "impression":
        row |= {"request_id": "r1", "position": 1, "surface": "home", "propensity": 1.0, "source": "popular", "bundle": "endcap-7"}
    if kind == "purchase":
        row |= {"quantity": 1.0, "unit_price": 2.0, "currency": "EUR", "order_id": f"o{number}"}
    return row | fields


def frame(rows: Iterable[Row]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=event_schema())


@st.composite
def logs(draw: st.DrawFn) -> list[Row]:
    """Up to 30 events within ten days, of three items, sessions, users and requests; a list is served at once, to one person."""
    kinds = st.sampled_from(
        ["impression", "impression", "impression", "seen_impression", "click", "product_view", "add_to_cart", "purchase", "identity"]
    )
    minutes = st.one_of(st.integers(0, 90), st.integers(0, 10 * 24 * 60))
    people = st.tuples(st.integers(1, 3), st.integers(0, 2))
    lists = draw(st.lists(st.tuples(minutes, people), min_size=3, max_size=3))
    drawn = draw(st.lists(st.tuples(kinds, minutes, people, st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)), max_size=30))
    rows = []
    for number, (kind, moment, person, item, request, position) in enumerate(drawn, start=1):
        fields: Row = {"item_id": f"i{item}"}
        if kind in ("impression", "seen_impression"):
            fields |= {"request_id": f"r{max(request, 1)}", "position": position}
        elif kind == "identity":
            fields = {"item_id": None}
        elif request:
            fields["request_id"] = f"r{request}"
        at, (session, user) = lists[max(request, 1) - 1] if kind == "impression" else (moment, person)
        user_id = f"u{max(user, 1)}" if user or kind == "identity" else None
        rows.append(event(kind, number, at, session_id=f"s{session}", user_id=user_id, **fields))
    return rows


def walked(rows: list[Row], windows: Windows | None = None) -> Mapping[tuple[str, str, int, str], tuple[int, float, float, float]]:
    """Events, revenue, and both position-weighted, by request, item, position and objective: event by event, slowly."""
    windows = windows or Windows()
    length = {"click": windows.click, "cart": windows.cart, "purchase": windows.purchase}
    places: dict[tuple[str, str, int], list[Row]] = {}
    for row in sorted((row for row in rows if row["event_type"] == "impression"), key=lambda row: (row["occurred_at"], row["event_id"])):
        places.setdefault((row["request_id"], row["item_id"], row["position"]), []).append(row)
    counted = {(*place, objective.value): (0, 0.0, 0.0, 0.0) for place in places for objective in FOLLOWS}
    for objective, kinds in FOLLOWS.items():
        for row in rows:
            if row["event_type"] not in kinds:
                continue
            named, touched = _matches(row | {"user_id": _user(row, rows, windows.longest)}, places, length[objective])
            if (objective, row["event_type"]) in NAMED_ONLY:
                touched = []
            if not named + touched:
                continue
            best_first = sorted(named or touched, key=lambda each: (-places[each][0]["occurred_at"].timestamp(), each[2], each[0]))
            weights = {best_first[0]: 1.0} if named else {each: each[2] ** -EXAMINATION_POWER for each in touched}
            value = 2.0 if objective == "purchase" else 0.0
            for each, weight in weights.items():
                events, revenue, shared, shared_revenue = counted[(*each, objective.value)]
                part, wins = weight / sum(weights.values()), each == best_first[0]
                counted[(*each, objective.value)] = (events + wins, revenue + wins * value, shared + part, shared_revenue + part * value)
    return counted


def _user(row: Row, rows: list[Row], known_for: timedelta) -> str | None:
    """The event's own user, else that of the newest identity of its visit up to it."""
    before = [
        each
        for each in rows
        if each["event_type"] == "identity"
        and each["session_id"] == row["session_id"]
        and timedelta() <= row["occurred_at"] - each["occurred_at"] <= known_for
    ]
    newest = max(before, key=lambda each: (each["occurred_at"], each["event_id"]), default={"user_id": None})
    return row["user_id"] or newest["user_id"]


def _matches(row: Row, places: Mapping[tuple[str, str, int], list[Row]], window: timedelta) -> tuple[list[Any], list[Any]]:
    """Places of the request that the event names, and the places of the same person, of its item and in time."""
    named, touched = [], []
    for place, served in places.items():
        after = row["occurred_at"] - served[0]["occurred_at"]
        if place[1] != row["item_id"] or not timedelta() <= after <= window:
            continue
        same_user = any(each["user_id"] == row["user_id"] is not None for each in served)
        if place[0] == row["request_id"]:
            named.append(place)
        elif same_user or any(each["session_id"] == row["session_id"] for each in served):
            touched.append(place)
    return named, touched
