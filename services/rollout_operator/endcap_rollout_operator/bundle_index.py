"""Milvus as a rollout needs it: is the candidate's collection there, where does the alias point, and which collections may go."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap.release.index.alias import aliased_collection, list_collections, move_alias
from endcap.release.index.collection import drop_collection
from endcap.release.index.connection import connect
from endcap_rollout_operator.state.observed_state import CollectionState, Index

TIMEOUT_S = 5.0
"""Of one call: a Milvus that hangs must not hold a rollback."""
LOAD_TIMEOUT_S = 15.0
"""Of one attempt; Milvus goes on loading, and the next look finds it loaded."""


class BundleIndex:
    """Connects for each use: between two rollouts Milvus is not needed."""

    def __init__(self, settings: MilvusSettings) -> None:
        self._settings = settings

    def look(self, collection: str, stable: str | None = None) -> Index:
        """Args:
            stable: the collection that a rollback returns to, if it is known.

        Raises:
            DependencyUnavailable: Milvus does not answer.
        """
        with self._client() as client:
            alias = aliased_collection(client, self._settings.collection_prefix)
            return Index(_state(client, collection), alias, _state(client, stable) if stable is not None else None)

    def load(self, collection: str) -> None:
        """Raises:
        DependencyUnavailable: Milvus does not answer, or has not loaded it yet.
        """
        with self._client() as client:
            client.load_collection(collection, timeout=LOAD_TIMEOUT_S)

    def move_alias(self, collection: str) -> None:
        """Raises:
        DependencyUnavailable: Milvus does not answer, or has no such collection.
        """
        with self._client() as client:
            move_alias(client, self._settings.collection_prefix, collection)

    def prune(self, kept: Collection[str]) -> list[str]:
        """Drop all but the newest collections; never one that the alias names or that somebody serves or waits to serve.

        Args:
            kept: those of every InferenceService and of every rollout that has not ended.

        Returns:
            the collections dropped.
        """
        with self._client() as client:
            collections = list_collections(client, self._settings.collection_prefix)
            old = [each.name for each in collections[self._settings.keep_collections :] if not each.is_aliased and each.name not in kept]
            for name in old:
                drop_collection(client, name)
            return old

    @contextmanager
    def _client(self) -> Iterator[Any]:
        import grpc
        from pymilvus import MilvusException

        client = connect(self._settings, TIMEOUT_S)
        try:
            yield client
        except (MilvusException, grpc.RpcError) as error:  # pymilvus lets some of gRPC's errors through, a deadline among them
            raise DependencyUnavailable(f"Milvus failed: {error}", field="ENDCAP_MILVUS__HOST", value=self._settings.host) from error
        finally:
            client.close()


def _state(client: Any, collection: str) -> CollectionState:
    if not client.has_collection(collection, timeout=TIMEOUT_S):
        return "missing"
    state = client.get_load_state(collection, timeout=TIMEOUT_S)["state"]
    return "loaded" if getattr(state, "name", "") == "Loaded" else "unloaded"
