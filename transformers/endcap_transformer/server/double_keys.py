"""Keys that stand twice in a JSON object: every parser keeps one of them in silence, and which one is its own affair."""

import json
from typing import Any

from endcap.core.errors import InvalidInput

_QUOTE, _ESCAPED_QUOTE = b'"', b"\\u0022"


def require_distinct_keys(text: bytes, canonical: bytes) -> None:
    """Refuse JSON that names a key twice in one object.

    Whatever is lost takes its quotation marks with it, so two counts tell a text in which nothing can be lost; only another one is
    parsed again. That costs 1 us of a usual request; another parser for all would cost 7 us.

    Args:
        text: JSON in UTF-8 that has been parsed already.
        canonical: what was parsed, written again.

    Raises:
        InvalidInput: names the key.
    """
    if text.count(_QUOTE) + text.count(_ESCAPED_QUOTE) > canonical.count(_QUOTE):
        try:
            json.loads(text, object_pairs_hook=_distinct)
        except (ValueError, RecursionError):  # numbers or depths that only the first parser takes
            raise InvalidInput("the JSON is nested too deep or has numbers too long") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput("stands twice in one object; leave one out", field=key[:40])
        found[key] = value
    return found
