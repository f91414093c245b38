"""The alias that follows promotion, and the collections kept for rollback."""

from dataclasses import dataclass
from typing import Any

ALIAS_NOT_FOUND = 1600
"""Milvus's code (`merr.ErrAliasNotFound`), also for an alias whose collection was dropped."""


@dataclass(frozen=True)
class CollectionState:
    """One bundle's collection in Milvus."""

    name: str
    version: int
    items: int
    is_aliased: bool


def aliased_collection(client: Any, alias: str) -> str | None:
    """The collection the alias points at, or None when there is no such alias.

    Raises:
        MilvusException: Milvus cannot say: taken for "none", it would cost the collection in use its place among those that are kept.
    """
    from pymilvus import MilvusException

    try:
        return str(client.describe_alias(alias)["collection_name"])
    except MilvusException as error:
        if error.code != ALIAS_NOT_FOUND:
            raise
        return None


def move_alias(client: Any, alias: str, name: str) -> None:
    """Point the alias at a collection that is loaded and checked; one atomic step for every searcher.

    Raises:
        MilvusException: there is no such collection, or Milvus fails; the alias stays where it is.
    """
    from pymilvus import MilvusException

    try:
        client.alter_alias(name, alias)
    except MilvusException as error:
        if error.code != ALIAS_NOT_FOUND:
            raise
        client.create_alias(name, alias)


def list_collections(client: Any, prefix: str) -> list[CollectionState]:
    """Collections of bundles, newest first."""
    from endcap.release.index.collection import row_count

    aliased = aliased_collection(client, prefix)
    states = [
        CollectionState(name, version, row_count(client, name), name == aliased)
        for name in client.list_collections()
        if (version := _version_of(name, prefix)) is not None
    ]
    return sorted(states, key=lambda state: state.version, reverse=True)


def prune_collections(client: Any, prefix: str, keep: int) -> list[str]:
    """Drop all but the newest `keep` collections, never the one the alias points at; the names dropped."""
    aliased = aliased_collection(client, prefix)
    names = [name for name in client.list_collections() if _version_of(name, prefix) is not None]
    names.sort(key=lambda name: _version_of(name, prefix) or 0, reverse=True)
    dropped = [name for name in names[keep:] if name != aliased]
    for name in dropped:
        client.drop_collection(name)
    return dropped


def _version_of(name: str, prefix: str) -> int | None:
    head, _, version = name.rpartition("_")
    return int(version) if head == prefix and version.isdigit() else None
