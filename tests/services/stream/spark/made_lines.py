"""Events of few people, visits and items, as they come: shuffled, doubled, late, without ids, broken, and visits of machines."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.endcap.events.stream.streamed_events import BEGIN, event
from tests.services.stream.spark.spark_bench import line_of

KINDS = (
    *(["product_view"] * 5 + ["click"] * 3 + ["add_to_cart"] * 3 + ["purchase"] * 4 + ["return"] * 2 + ["cancellation", "search", "dwell"]),
    *(["identity"] * 2 + ["impression"] * 5 + ["seen_impression", "rating", "remove_from_cart", "consent_withdrawn"]),
)
HOUR = timedelta(hours=1)
DELAY = 2 * HOUR


def made_batches(random: Random, batches: int, events: int) -> Iterator[tuple[list[bytes], datetime]]:
    """Lines in the order of arrival, and the clock's moment at which they are taken.

    A batch is of three quarters of an hour to four hours, so that some of its events are late by others of it.
    """
    now, number, earlier = BEGIN, 0, list[bytes]()
    for _ in range(batches):
        length = random.choice([0.75, 0.75, 4.0]) * HOUR
        lines: list[bytes] = []
        for place in range(events):
            came = now + length * (place + 1) / (events + 1)
            late = random.choice([0.0, 0.0, random.random(), random.random(), 2.5 * random.random()]) * HOUR
            lines.append(line_of(_made(random, number, came - late, came)))
            number += 1
        doubled = random.sample(lines, events // 10) + random.sample(earlier, min(len(earlier), events // 10))
        earlier = lines
        broken = [b"{", b"[]", b'{"event_type": 3}', line_of(_made(random, number, now, now) | {"event_type": "no such"})]
        number += 1
        now += length
        # What is doubled arrived when it did at first: where two of one id stand decides nothing.
        yield [*lines, *doubled, *broken], now


def _made(random: Random, number: int, at: datetime, came: datetime) -> dict[str, Any]:
    kind = random.choice(KINDS)
    item = random.choice(["a", "b", "c", "d", "undefined"])
    user = random.choice(["u1", "u2", "u3", None, None])
    fields: dict[str, Any] = {
        "user_id": user or ("u1" if kind in {"identity", "consent_withdrawn"} else None),
        "session_id": random.choice(["v1", "v2", "v3", "v4", "v5", "null"]),
        "item_id": None if kind in {"identity", "consent_withdrawn", "search"} else item,
        "consent": random.random() < 0.85 and kind != "consent_withdrawn",
        "device": random.choice(["mobile"] * 30 + ["Googlebot"]),
        "order_id": random.choice([None, None, "o1", "o2", "o3"]) if kind in {"purchase", "return", "cancellation"} else None,
    }
    if kind in {"return", "cancellation"} and fields["order_id"] and random.random() < 0.5:
        fields["item_id"] = None
    match kind:
        case "purchase" | "return" | "add_to_cart" | "remove_from_cart":
            fields["quantity"] = random.choice([1.0, 2.0])
            fields |= {"unit_price": 2.5, "currency": "EUR"} if kind == "purchase" else {}
        case "impression" | "seen_impression":
            # A place of a list is shown once.
            fields |= {"request_id": f"r{number // 6}", "position": number % 6 + 1, "surface": "home", "bundle": "b1"}
        case "search":
            fields["query"] = random.choice(["x", "y"])
        case "dwell":
            fields["dwell_ms"] = 1_000
        case "rating":
            fields["rating"] = 4.0
    if kind in {"click", "product_view", "add_to_cart", "purchase"} and random.random() < 0.5:
        fields["request_id"] = f"r{max(0, number // 6 - random.randrange(3))}"
    session = fields.pop("session_id")
    made = event(f"{number}", 0, kind, session, **fields)
    return made | {"occurred_at": at, "received_at": came + timedelta(microseconds=number)}
