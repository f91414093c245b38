"""A promoted bundle is taken up once the parts have it, and the cheap questions come first."""

from collections.abc import Callable
from pathlib import Path

import pytest

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.ports import free_ports
from endcap.core.settings import ModelServerSettings, Settings
from endcap.core.tensorflow_serving.messages import serving_messages
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import MODEL_FOLDER
from endcap_transformer.clients.model_server_client import ModelServerClient
from endcap_transformer.live.promoted_bundle import await_promoted

Promote = Callable[[int], Bundle]


class KnownCollections:
    """A Milvus that holds some collections."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def check(self, collection: str) -> None:
        if collection not in self.names:
            raise BundleInvalid("Milvus has no index of this bundle", field="collection", value=collection, fix="build it")


class LoadedModels:
    """A model server that has loaded whatever it is asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def wait_until_available(self, version: int, timeout_s: float) -> None:
        self.asked.append(version)


@pytest.fixture
def served_dir(tmp_path: Path) -> Path:
    return Settings(home=tmp_path).served_dir


async def test_a_bundle_comes_once_the_parts_have_it(promoted: Promote, served_dir: Path) -> None:
    bundle, models = promoted(2), LoadedModels()
    assert await await_promoted(served_dir, KnownCollections("endcap_2"), models, wait_s=0) == bundle
    assert models.asked == [2]


async def test_a_collection_that_is_missing_is_waited_for_before_anything_dear(promoted: Promote, served_dir: Path) -> None:
    promoted(2)
    models = LoadedModels()
    with pytest.raises(DependencyUnavailable, match=r"no index of this bundle.*endcap_2.*build it"):
        await await_promoted(served_dir, KnownCollections("endcap_1"), models, wait_s=0)
    assert not models.asked


async def test_a_damaged_bundle_is_not_waited_for(promoted: Promote, served_dir: Path) -> None:
    (promoted(2).path / "saved_model.pb").unlink()
    with pytest.raises(BundleInvalid, match=r"saved_model\.pb"):
        await await_promoted(served_dir, KnownCollections("endcap_2"), LoadedModels(), wait_s=0)


async def test_a_model_that_never_loads_is_named(promoted: Promote, served_dir: Path) -> None:
    promoted(2)
    client = nobody_listens()
    try:
        with pytest.raises(DependencyUnavailable, match="does not serve version 2"):
            await await_promoted(served_dir, KnownCollections("endcap_2"), client, wait_s=0)
    finally:
        await client.close()


async def test_waiting_for_a_model_ends_when_another_bundle_is_promoted(promoted: Promote, served_dir: Path) -> None:
    promoted(2)
    client = nobody_listens()

    class PromotesAnother(KnownCollections):
        def check(self, collection: str) -> None:
            super().check(collection)
            promoted(3)

    try:
        with pytest.raises(DependencyUnavailable, match="another bundle was promoted meanwhile"):
            await await_promoted(served_dir, PromotesAnother("endcap_2"), client, wait_s=3_600, look_s=0.01)
    finally:
        await client.close()


def nobody_listens() -> ModelServerClient:
    return ModelServerClient(serving_messages(), ModelServerSettings(port=free_ports(1)[0]), MODEL_FOLDER)
