"""Milvus and the feature store, opened at start; while other parts are still starting they are waited for."""

import time

import numpy as np
from numpy.typing import NDArray

from endcap.errors import BundleInvalid, DependencyUnavailable
from endcap.index.connection import connect
from endcap.index.search import ItemSearch
from endcap.log import get_logger
from endcap.retrieval.candidates import Candidates
from endcap.settings import MilvusSettings, Settings
from transformers.features import OnlineRead

RETRY_SECONDS = 0.5
LOAD_TIMEOUT_S = 60.0


class MilvusIndex:
    """The vector search of requests, and the check that a bundle's collection is there."""

    def __init__(self, settings: MilvusSettings, timeout_ms: float) -> None:
        self._settings = settings
        self._timeout_ms = timeout_ms
        self._search = ItemSearch(settings)

    def search(self, collection: str, embedding: NDArray[np.float32], limit: int) -> Candidates:
        return self._search.search(collection, embedding, limit, timeout_ms=self._timeout_ms)

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


def open_index(settings: Settings, wait_s: float) -> MilvusIndex:
    """Connect to Milvus.

    Args:
        settings: all settings.
        wait_s: how long a Milvus that is still starting is waited for.

    Raises:
        DependencyUnavailable: it does not answer by then.
    """
    deadline = time.monotonic() + wait_s
    said = False
    while True:
        try:
            connect(settings.milvus).close()
            return MilvusIndex(settings.milvus, settings.serving.retrieval_timeout_ms)
        except DependencyUnavailable:
            if time.monotonic() >= deadline:
                raise
            if not said:
                get_logger("transformer").info("waiting for Milvus", port=settings.milvus.port)
                said = True
            time.sleep(RETRY_SECONDS)


def open_online_store(settings: Settings) -> OnlineRead:
    """The feature store's online side.

    Raises:
        DependencyUnavailable: nothing is materialised yet.
    """
    from endcap.feature_store.online import OnlineFeatures

    return OnlineFeatures.open(settings)
