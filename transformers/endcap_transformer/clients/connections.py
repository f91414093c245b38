"""Milvus and the feature store, opened at start; while other parts are still starting they are waited for."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.polling import poll
from endcap.core.settings import MilvusSettings, Settings
from endcap.engine.retrieval.candidates import Candidates
from endcap.release.index.connection import connect
from endcap.release.index.search import AsyncItemSearch
from endcap_transformer.telemetry.tracing import current_trace

if TYPE_CHECKING:
    from endcap.features.store.online import OnlineFeatures

RETRY_SECONDS = 0.5
LOAD_TIMEOUT_S = 60.0
SERVICE = "milvus.proto.milvus.MilvusService"


class MilvusIndex:
    """The vector search of requests, and the check that a bundle's collection is there; made inside the running event loop."""

    def __init__(self, settings: MilvusSettings) -> None:
        self._settings = settings
        self._search = AsyncItemSearch(settings)
        self._address = f"{settings.host}:{settings.port}"

    async def search(
        self, collection: str, embedding: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> Candidates:
        """The nearest items that fulfil `where`.

        Raises:
            DependencyUnavailable: Milvus does not answer in time, or refuses.
        """
        return (await self.search_many(collection, embedding[None, :], limit, where=where, timeout_ms=timeout_ms))[0]

    async def search_many(
        self, collection: str, embeddings: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> list[Candidates]:
        """The same for float32 [q, dim], by one call: the candidates of each.

        Raises:
            DependencyUnavailable: Milvus does not answer in time, or refuses.
        """
        with current_trace().call(SERVICE, "Search", self._address) as call:
            return await self._search.search_many(
                collection, embeddings, limit, where=where, timeout_ms=timeout_ms, metadata=call.grpc_metadata()
            )

    async def close(self) -> None:
        await self._search.close()

    def check(self, collection: str) -> None:
        """Load the collection when it is not.

        Raises:
            BundleInvalid: there is no such collection.
            DependencyUnavailable: Milvus does not answer.
        """
        from pymilvus import MilvusException

        client = connect(self._settings)
        try:
            if not client.has_collection(collection, timeout=LOAD_TIMEOUT_S):
                raise BundleInvalid(
                    "Milvus has no index of this bundle", field="collection", value=collection, fix="build it: `endcap index build`"
                )
            client.load_collection(collection, timeout=LOAD_TIMEOUT_S)
        except MilvusException as error:
            raise DependencyUnavailable(f"Milvus cannot load the collection: {error}", field="collection", value=collection) from error
        finally:
            client.close()


def wait_for_milvus(settings: MilvusSettings, wait_s: float) -> None:
    """Return when Milvus answers.

    Args:
        settings: where it is.
        wait_s: how long a Milvus that is still starting is waited for.

    Raises:
        DependencyUnavailable: it does not answer by then.
    """

    def is_connected() -> bool:
        connect(settings).close()
        return True

    try:
        is_connected()
    except DependencyUnavailable:
        get_logger("transformer").info("waiting for Milvus", port=settings.port)
        poll(is_connected, every_s=RETRY_SECONDS, within_s=wait_s, again_on=DependencyUnavailable)


def open_online_store(settings: Settings) -> "OnlineFeatures":
    """The feature store's online side.

    Raises:
        DependencyUnavailable: nothing is materialised yet.
    """
    from endcap.features.store.online import OnlineFeatures

    return OnlineFeatures.open(settings)
