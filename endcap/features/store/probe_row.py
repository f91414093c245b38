"""The probe's row in the online store, read as a request reads the row of a visit."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from endcap.contracts.probe import ONLINE_ID

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = "session_item_ids"
"""Of the row: in the place of an item it has the probe's moment, in microseconds since 1970."""


class VisitRead(Protocol):
    """What reads visits for requests, as `endcap.features.store.online.OnlineFeatures` does."""

    def read(self, user_id: str | None, session_id: str | None) -> Mapping[str, Any] | None:
        """The parts that are known, `session` among them."""


def newest_probe(store: VisitRead) -> datetime | None:
    """When the probe was made whose row the store has, UTC; None where it has none.

    Args:
        store: read once; blocks.

    Raises:
        DependencyUnavailable: the store does not answer.
    """
    session = (store.read(None, ONLINE_ID) or {}).get("session")
    return _BEGINNING + timedelta(microseconds=int(session[_MOMENT][0])) if session and session[_MOMENT] else None
