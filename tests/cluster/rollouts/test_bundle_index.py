"""Milvus as the operator uses it, on a real one."""

from collections.abc import Iterator
from typing import Any

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings
from endcap.release.index.connection import connect
from endcap_rollout_operator.bundle_index import BundleIndex
from endcap_rollout_operator.state.observed_state import Index
from tests.cluster.rollouts.scene import made_collection

PREFIX = "pruned"


@pytest.fixture(scope="module")
def settings(milvus: MilvusSettings) -> MilvusSettings:
    """Collections of their own, of which one is kept."""
    return milvus.model_copy(update={"collection_prefix": PREFIX, "keep_collections": 1})


@pytest.fixture(scope="module")
def client(settings: MilvusSettings) -> Iterator[Any]:
    """Three collections, 1 to 3."""
    connected = connect(settings)
    for version in (1, 2, 3):
        made_collection(connected, f"{PREFIX}_{version}")
    yield connected
    connected.close()


def test_a_collection_is_missing_unloaded_or_loaded(settings: MilvusSettings, client: Any) -> None:
    index = BundleIndex(settings)
    assert index.look(f"{PREFIX}_9").collection == "missing"
    client.release_collection(f"{PREFIX}_3")
    assert index.look(f"{PREFIX}_3").collection == "unloaded"
    assert index.look(f"{PREFIX}_1", f"{PREFIX}_9").stable == "missing" and index.look(f"{PREFIX}_1", f"{PREFIX}_3").stable == "unloaded"
    index.load(f"{PREFIX}_3")
    assert index.look(f"{PREFIX}_3").collection == "loaded"


def test_the_alias_is_made_and_moved(settings: MilvusSettings, client: Any) -> None:
    index = BundleIndex(settings)
    for version in (2, 1):
        index.move_alias(f"{PREFIX}_{version}")
        assert index.look(f"{PREFIX}_3") == Index("loaded", f"{PREFIX}_{version}")
    with pytest.raises(DependencyUnavailable, match="collection not found"):
        index.move_alias(f"{PREFIX}_9")
    assert index.look(f"{PREFIX}_3").alias == f"{PREFIX}_1"


def test_what_is_aliased_served_or_waited_for_is_never_dropped(settings: MilvusSettings, client: Any) -> None:
    index = BundleIndex(settings)
    index.move_alias(f"{PREFIX}_1")
    assert index.prune({f"{PREFIX}_2"}) == []
    assert index.prune(set()) == [f"{PREFIX}_2"]
    assert not client.has_collection(f"{PREFIX}_2") and client.has_collection(f"{PREFIX}_1")


def test_a_milvus_that_is_away_is_said(settings: MilvusSettings) -> None:
    away = BundleIndex(settings.model_copy(update={"port": free_port()}))
    with pytest.raises(DependencyUnavailable, match="ENDCAP_MILVUS__HOST"):
        away.look("pruned_1")
