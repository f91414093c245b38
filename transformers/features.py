"""Features: one online read for the user and the session of a request."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from endcap.retrieval.user_state import UserState, user_state
from transformers.resolving import ResolvedRequest

READ_THREADS = 4
SESSION_ITEMS = "session_item_ids"


class OnlineRead(Protocol):
    """The online store, as `endcap.feature_store.online.OnlineFeatures` gives it."""

    def read(self, user_id: str | None, session_id: str | None) -> Mapping[str, Any] | None:
        """The parts that are known, `user` and `session`, each features by name or None; None when neither is known."""


class FeatureReader:
    """Reads in threads of its own: the store's client blocks."""

    def __init__(self, store: OnlineRead) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(READ_THREADS, thread_name_prefix="features")

    async def read(self, user_id: str | None, session_id: str | None) -> Mapping[str, Any] | None:
        if user_id is None and session_id is None:
            return None
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._store.read, user_id, session_id)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def state_of(row: Mapping[str, Any] | None, request: ResolvedRequest) -> UserState:
    """The user as of the request: on a product page or in a cart, the page's items are the last thing the person looked at."""
    items = request.served.tables.items
    known = row or {}
    session = list((known.get("session") or {}).get(SESSION_ITEMS) or ())
    if request.is_page:
        session += [items.ids.name(int(index)) for index in request.items]
    return user_state(known.get("user"), items, request.served.tables.user_vocabularies, request.now, session)
