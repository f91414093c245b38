"""What writing to Feast's online store and reading from it share: keys of entities, and the store as a thread sees it."""

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feast import FeatureStore
    from feast.infra.online_stores.online_store import OnlineStore


def entity_key(join_key: str, entity_id: str) -> Any:
    """feast.types.EntityKey of an entity."""
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    return EntityKey(join_keys=[join_key], entity_values=[Value(string_val=entity_id)])


class OnlineStores:
    """An online store a thread: on a SQLite connection that threads share, one that waits for a lock would stop the whole process.

    Args:
        store: whose online store it is.
    """

    def __init__(self, store: "FeatureStore") -> None:
        self._store = store
        self._of_thread = threading.local()

    def own(self) -> "OnlineStore":
        """That of the calling thread."""
        online: OnlineStore | None = getattr(self._of_thread, "online", None)
        if online is None:
            from feast.infra.online_stores.helpers import get_online_store_from_config

            online = self._of_thread.online = get_online_store_from_config(self._store.config.online_store)
        return online
