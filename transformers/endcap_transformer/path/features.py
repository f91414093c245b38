"""Features: one online read for the user and the session of a request."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.event import TAKES_OFF
from endcap.core.settings import Settings
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap_transformer.path.resolving import NO_ITEMS, ResolvedRequest
from endcap_transformer.resilience.cached_lookup import MISSING, CachedLookup, Missing
from endcap_transformer.resilience.guards import BoundedThreads
from endcap_transformer.telemetry.metrics import ServingMetrics

READ_THREADS = 4
SESSION_ITEMS = "session_item_ids"
SESSION_TYPES = "session_event_types"
SESSION_TIMES = "session_occurred_at"
PURCHASE = "purchase"
_BOUGHT_OR_BACK = frozenset({PURCHASE, *TAKES_OFF})

Row = Mapping[str, Any] | None


class OnlineRead(Protocol):
    """The online store, as `endcap.features.store.online.OnlineFeatures` gives it."""

    def read(self, user_id: str | None, session_id: str | None) -> Row:
        """The parts that are known, `user`, `recent` and `session`, each features by name or None; None when none is known."""

    def read_many(self, asked: Sequence[tuple[str | None, str | None]]) -> Sequence[Row]:
        """The same of several users and sessions."""


class Features(Protocol):
    """What requests read their features by."""

    def cached(self, user_id: str | None, session_id: str | None) -> Row | Missing:
        """Features that are there already, without a call."""

    async def read(self, user_id: str | None, session_id: str | None) -> Row:
        """The known parts, for whom `cached` has nothing."""


class FeatureReader:
    """Reads in threads of its own, since the store's client blocks. A person's features are kept for a moment, a session's never: the
    next list must show what was clicked just now.

    Args:
        store: the online store.
        settings: bulkhead and cache.
        metrics: where look-ups are counted.
    """

    def __init__(self, store: OnlineRead, settings: Settings, metrics: ServingMetrics) -> None:
        self._store = store
        self._threads = BoundedThreads("features", READ_THREADS, settings.resilience.bulkhead_calls)
        self._users: CachedLookup[str, Row] = CachedLookup(
            settings.cache.features_entries, settings.cache.features_seconds, metrics.cache("features")
        )

    def cached(self, user_id: str | None, session_id: str | None) -> Row | Missing:
        """Features that are still fresh, without a call."""
        return self._users.peek(user_id, MISSING) if user_id is not None and session_id is None else MISSING

    async def read(self, user_id: str | None, session_id: str | None) -> Row:
        """The known parts, from the store; for whom `cached` has nothing.

        Raises:
            DependencyUnavailable: the store does not answer, or too many reads are under way.
        """
        if user_id is None:
            return None if session_id is None else await self._threads.start(self._store.read, None, session_id)
        if session_id is not None:
            return await self._threads.start(self._store.read, user_id, session_id)
        return await self._users.compute(user_id, lambda: self._read_user(user_id))

    async def _read_user(self, user_id: str) -> Row:
        return await self._threads.start(self._store.read, user_id, None)

    def close(self) -> None:
        self._threads.close()


def state_of(row: Row, request: ResolvedRequest) -> UserState:
    """The user as of the request: the items of its page, or those it says were looked at, are the last thing the person looked at."""
    items = request.served.tables.items
    known = row or {}
    visit = known.get("session") or {}
    session: Sequence[str] = visit.get(SESSION_ITEMS) or ()
    kinds: Sequence[str] = visit.get(SESSION_TYPES) or ()
    if len(request.viewed):
        session = [*session, *(items.ids.name(int(index)) for index in request.viewed)]
    return user_state(
        known.get("user"),
        items,
        request.served.tables.user_vocabularies,
        request.now,
        session,
        kinds,
        session_occurred_at=visit[SESSION_TIMES] if len(kinds) else (),
        recent=known.get("recent"),
        session_id=request.session_id,
    )


def session_bought(row: Row, request: ResolvedRequest) -> NDArray[np.int32]:
    """int32 [b]: items bought in this visit and not taken back in it."""
    session = (row or {}).get("session") or {}
    kinds: Sequence[str] = session.get(SESSION_TYPES) or ()
    if PURCHASE not in kinds:
        return NO_ITEMS
    last = {item: kind for item, kind in zip(session.get(SESSION_ITEMS) or (), kinds, strict=False) if kind in _BOUGHT_OR_BACK}
    bought = [item for item, kind in last.items() if kind == PURCHASE]
    return request.served.tables.items.ids.codes(bought) if bought else NO_ITEMS
