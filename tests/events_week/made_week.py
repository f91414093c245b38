"""A week of made visits, and how it is sent: some of it late, some twice, some without consent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import polars as pl

from tests.events_week.made_visit import Event, Shopper, VisitMaker

SPAN = timedelta(minutes=55)
"""The week's moments are moved into the time before now, in their order: half of what the stream waits for stays for the sending."""

TOO_LATE = timedelta(hours=4)
LATE_IN_TIME, LATE_TOO_LATE, TWICE = 0.03, 0.02, 0.02
DELAYED_VISITS = 40
"""What comes late comes so many visits later, at most."""

CONSENTS = ((True, True),) * 9 + ((False, False), (False, True), (True, False))
"""To personalisation and analytics; a visit in four says no to something."""
UNTOLD, UNREAD = "untold", "unread"
"""What ids of visits begin with whose ids are never to be stored, and of those that are never to reach features."""

SENT_SCHEMA = {
    **dict.fromkeys(("event_id", "event_type", "user_id", "session_id", "order_id", "item_id", "currency", "query"), pl.String),
    **dict.fromkeys(("request_id", "surface", "bundle"), pl.String),
    **dict.fromkeys(("quantity", "unit_price", "propensity"), pl.Float64),
    **dict.fromkeys(("position", "dwell_ms"), pl.Int64),
    **dict.fromkeys(("consent", "consent_analytics"), pl.Boolean),
    "occurred_at": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True, slots=True)
class Sending:
    """Events of one request.

    Attributes:
        visit: place of the visit after which it is sent.
        events: of one scope.
    """

    visit: int
    events: Sequence[Event]

    @property
    def is_shown(self) -> bool:
        """Whether the transformer's key sends it."""
        return self.events[0]["event_type"] == "impression"


def made_week(purchases: pl.DataFrame, now: datetime, seed: int) -> list[Sending]:
    """Requests in the order in which they are sent. The first visit is whole, in time and with consent: by it the watermark is known.

    Args:
        purchases: of `purchases`.
        now: UTC.
        seed: of all that is chosen.
    """
    random = Random(seed)
    items = purchases["item_id"].unique().sort().to_list()
    visits = purchases.partition_by("visit", maintain_order=True)
    sendings: list[Sending] = []
    for place, lines in enumerate(visits):
        shopper = _shopper(lines, random) if place else _sure(lines)
        # Milliseconds, which every clock and every format keeps.
        ends_at = (now - SPAN + place / len(visits) * (SPAN - timedelta(minutes=1))).replace(microsecond=0)
        bought = list(lines.select("item_id", "quantity", "unit_price", "currency").iter_rows(named=True))
        events = VisitMaker(shopper, bought, random.sample(items, 6), ends_at, random).events()
        sendings += _sent(place, events, random) if place else _by_scope(0, events)
    return sorted(sendings, key=lambda each: each.visit)


def sent_table(sendings: Sequence[Sending]) -> pl.DataFrame:
    """A row each time that an event was sent."""
    return pl.DataFrame([event for sending in sendings for event in sending.events], schema=SENT_SCHEMA)


def _sure(lines: pl.DataFrame) -> Shopper:
    return Shopper(f"household {lines['household'][0]}", f"visit {lines['visit'][0]}", consent=True, consent_analytics=True)


def _shopper(lines: pl.DataFrame, random: Random) -> Shopper:
    consent, consent_analytics = random.choice(CONSENTS)
    marked = "" if consent and consent_analytics else f"{UNREAD if consent_analytics else UNTOLD} "
    user_id = f"{marked}household {lines['household'][0]}" if random.random() < 0.85 else None
    return Shopper(user_id, f"{marked}visit {lines['visit'][0]}", consent, consent_analytics)


def _sent(place: int, events: Sequence[Event], random: Random) -> Iterator[Sending]:
    in_time: list[Event] = []
    for event in events:
        chance = random.random()
        later = place + random.randint(1, DELAYED_VISITS)
        if chance < LATE_TOO_LATE:
            yield Sending(later, [event | {"occurred_at": event["occurred_at"] - TOO_LATE}])
        elif chance < LATE_TOO_LATE + LATE_IN_TIME:
            yield Sending(later, [event])
        else:
            in_time.append(event)
            if random.random() < TWICE:
                yield Sending(later, [event])
    yield from _by_scope(place, in_time)


def _by_scope(place: int, events: Sequence[Event]) -> Iterator[Sending]:
    parts: Mapping[bool, list[Any]] = {True: [], False: []}
    for event in events:
        parts[event["event_type"] == "impression"].append(event)
    yield from (Sending(place, part) for part in parts.values() if part)
