"""Rows of visits as the stream writes them."""

from typing import Any

from endcap.features.store.names import SESSION_SUMMARY


def visit(*item_ids: str) -> dict[str, Any]:
    """Values of SESSION_SIGNALS: items that were looked at."""
    values = {"session_item_ids": list(item_ids), "session_event_types": ["product_view"] * len(item_ids)}
    return {**dict.fromkeys(SESSION_SUMMARY, ()), **values, "session_occurred_at": [1_700_000_000] * len(item_ids), "session_dwell_ms": 0}
