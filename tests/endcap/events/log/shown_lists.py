"""Lists as they are shown, for logs to write."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, sleep

from endcap.events.log.batches import Impressions

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def shown_list(request_id: str, count: int = 4, user_id: str | None = None, session_id: str | None = None) -> Impressions:
    places = range(1, count + 1)
    items = [f"i{place}" for place in places]
    return Impressions(
        *(request_id, user_id, session_id, "home", None, items, places),
        *([1.0] * count, ["popular"] * count, "1", "default", NOW, True, True),
    )


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = monotonic() + seconds
    while not condition():
        assert monotonic() < until, "it did not come to pass"
        sleep(0.01)
