"""A Milvus that asks for a token gets it from every client, and refuses those without."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import SecretStr

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings, Settings
from endcap.release.bundle.tables import BundleTables
from endcap.release.index.collection import build_collection
from endcap.release.index.connection import answers, call_metadata, connect
from endcap.release.index.search import AsyncItemSearch, ItemSearch
from tests.shared_milvus import kept_folder, milvus_until_killed, share_unpacked_milvus

pytestmark = pytest.mark.processes

NAME = "guarded_1"
PATIENT_MS = 60_000.0


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusSettings]:
    home = tmp_path_factory.mktemp("guarded-milvus")
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    settings = Settings(home=home, milvus=MilvusSettings(port=free_port(), token=SecretStr("root:Milvus")))
    with milvus_until_killed(settings) as running:
        yield running


@pytest.fixture
def collection(guarded: MilvusSettings, tables: BundleTables) -> str:
    client = connect(guarded)
    if not client.has_collection(NAME):
        build_collection(client, tables, NAME, guarded)
    client.close()
    return NAME


def test_building_and_both_searches_pass_with_the_token(guarded: MilvusSettings, collection: str, tables: BundleTables) -> None:
    query = tables.item_embeddings[1]
    with ItemSearch(guarded) as search:
        found = search.search(collection, query, 5, timeout_ms=PATIENT_MS)

    async def ask() -> np.ndarray:
        async with AsyncItemSearch(guarded) as client:
            return (await client.search(collection, query, 5, timeout_ms=PATIENT_MS, metadata=(("traceparent", "00-1-1-00"),))).index

    assert found.index[0] == 1
    assert list(asyncio.run(ask())) == list(found.index)


def test_a_client_without_the_token_is_refused(guarded: MilvusSettings, collection: str, tables: BundleTables) -> None:
    anonymous = guarded.model_copy(update={"token": None})
    assert not answers(anonymous)
    with ItemSearch(anonymous) as search, pytest.raises(DependencyUnavailable):
        search.search(collection, tables.item_embeddings[1], 5, timeout_ms=PATIENT_MS)


def test_a_wrong_token_is_refused(guarded: MilvusSettings) -> None:
    assert not answers(guarded.model_copy(update={"token": SecretStr("root:wrong")}))


def test_the_token_is_in_no_text_of_the_settings() -> None:
    settings = MilvusSettings(token=SecretStr("root:secret"))
    assert "secret" not in repr(settings)
    assert call_metadata(settings) == (("authorization", "cm9vdDpzZWNyZXQ="),)
