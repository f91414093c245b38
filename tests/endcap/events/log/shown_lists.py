"""Lists as they are shown, for logs to write."""

from datetime import UTC, datetime

from endcap.events.log.batches import Impressions

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def shown_list(request_id: str, count: int = 4, user_id: str | None = None, session_id: str | None = None) -> Impressions:
    places = range(1, count + 1)
    items = [f"i{place}" for place in places]
    return Impressions(
        *(request_id, user_id, session_id, "home", None, items, places),
        *([1.0] * count, ["popular"] * count, "1", "default", NOW, True, True),
    )
