"""One made visit before a purchase: a list is shown, things are searched, looked at, put into the cart, and bought."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

SHOWN, LOOKED_AT = 6, 4
"""Most items of a list, and most of a basket that somebody looks at before."""
QUERIES = ("green tea", "bread", "milk", "something for the weekend", "cheese")
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who comes, and what they allow.

    Attributes:
        user_id: None for who does not say.
        consent: to personalisation.
        consent_analytics: to analytics.
    """

    user_id: str | None
    session_id: str
    consent: bool
    consent_analytics: bool


class VisitMaker:
    """Makes the events of one visit in the order in which they happen.

    Args:
        shopper: whose.
        bought: lines, with `item_id`, `quantity`, `unit_price`, `currency`.
        others: items that are shown or tried beside.
        ends_at: the moment of the purchase, UTC; everything else is before it.
        random: chooses.
    """

    def __init__(self, shopper: Shopper, bought: Sequence[Event], others: Sequence[str], ends_at: datetime, random: Random) -> None:
        self._shopper, self._bought, self._others, self._random = shopper, bought, others, random
        self._ends_at = ends_at
        self._places: dict[str, int] = {}
        self._request_id = f"list of {UUID(int=random.getrandbits(128))}"
        self._events: list[Event] = []

    def events(self) -> list[Event]:
        """Events without a `sent` of any kind; moments are whole milliseconds, each of its own."""
        self._search()
        self._see_list()
        basket = list(dict.fromkeys(line["item_id"] for line in self._bought))
        for item in basket[: self._random.randint(1, LOOKED_AT)]:
            self._look(item)
            if self._random.random() < 0.8:
                self._put(item)
        self._hesitate(self._others[-1])
        for line in self._bought:
            self._add("purchase", **line, order_id=f"order {self._request_id[-12:]}", **self._named(line["item_id"], 0.3))
        return self._dated()

    def _search(self) -> None:
        for query in self._random.sample(QUERIES, self._random.randint(0, 2)):
            self._add("search", query=query, surface="search")

    def _see_list(self) -> None:
        basket = list(dict.fromkeys(line["item_id"] for line in self._bought))
        shown = [*self._random.sample(basket, min(len(basket), 3)), *self._others[: SHOWN - 3]]
        shown = list(dict.fromkeys(shown))
        self._random.shuffle(shown)
        self._places = {item: place for place, item in enumerate(shown, 1)}
        for item, place in self._places.items():
            self._add("impression", item_id=item, position=place, request_id=self._request_id, surface="home", propensity=1.0, bundle="b/1")

    def _look(self, item: str) -> None:
        named = self._named(item, 0.5)
        if named and self._random.random() < 0.5:
            self._add("click", item_id=item, **named)
        self._add("product_view", item_id=item, **named)
        self._add("dwell", item_id=item, dwell_ms=self._random.randint(500, 60_000))

    def _put(self, item: str) -> None:
        self._add("add_to_cart", item_id=item, quantity=1.0, **self._named(item, 0.5))

    def _hesitate(self, item: str) -> None:
        """Something stays in the cart, or is taken out again."""
        chance = self._random.random()
        if chance < 0.6:
            self._put(item)
        if chance < 0.3:
            self._add("remove_from_cart", item_id=item)

    def _named(self, item: str, chance: float) -> Event:
        """With some chance the place of the list from which somebody came."""
        is_told = item in self._places and self._random.random() < chance
        return {"request_id": self._request_id, "position": self._places[item]} if is_told else {}

    def _add(self, kind: str, **fields: Any) -> None:
        self._events.append({"event_id": str(UUID(int=self._random.getrandbits(128), version=4)), "event_type": kind, **fields})

    def _dated(self) -> list[Event]:
        """Each some moments before the next one, within a minute or so."""
        moment, dated = self._ends_at, list[Event]()
        whose = {"session_id": self._shopper.session_id, "user_id": self._shopper.user_id}
        allows = {"consent": self._shopper.consent, "consent_analytics": self._shopper.consent_analytics}
        for event in reversed(self._events):
            dated.append({**event, **whose, **allows, "occurred_at": moment})
            moment -= timedelta(milliseconds=self._random.randint(1, 3_000))
        return dated[::-1]
