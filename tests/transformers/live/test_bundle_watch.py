"""A newly promoted bundle takes the present one's place once it can answer."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from polars.exceptions import PanicException
from structlog.testing import capture_logs

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.ports import free_ports
from endcap.core.settings import ModelServerSettings, Settings
from endcap.core.tensorflow_serving.messages import serving_messages
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import MODEL_FOLDER
from endcap_transformer.clients.model_server_client import ModelServerClient
from endcap_transformer.live.bundle_watch import BundleHolder, await_promoted, is_promoted, promoted_version, watch_bundle
from endcap_transformer.live.served_bundle import ServedBundle
from tests.waiting import until_async


async def switches(holder: BundleHolder, served_dir: Path, prepare, until, outcomes: list[str] | None = None) -> None:
    def put(newer: ServedBundle) -> None:
        holder.current = newer

    count = [].append if outcomes is None else outcomes.append
    watching = asyncio.create_task(watch_bundle(holder, served_dir, prepare, put, look_s=0.01, count=count))
    await until_async(until, "what the watcher does")
    watching.cancel()


async def test_a_promoted_bundle_replaces_the_present_one(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder = BundleHolder()
    holder.current = served
    newer = replace(served, manifest=served.manifest.model_copy(update={"version": 2}))

    async def prepare():
        return newer

    await switches(holder, tmp_path, prepare, lambda: holder.current is newer)
    assert holder.current is newer


async def test_a_bundle_that_cannot_be_served_is_tried_once_and_the_present_one_stays(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder = BundleHolder()
    holder.current = served
    tried: list[int] = []
    newer = replace(served, manifest=served.manifest.model_copy(update={"version": 3}))

    async def prepare():
        tried.append(1)
        if len(tried) == 1:
            (tmp_path / "endcap" / "3").mkdir()
            raise BundleInvalid("the file is missing")
        return newer

    await switches(holder, tmp_path, prepare, lambda: holder.current is newer)
    assert len(tried) == 2


def version_of(served: ServedBundle, version: int) -> ServedBundle:
    return replace(served, manifest=served.manifest.model_copy(update={"version": version}))


async def test_a_bundle_that_waits_for_a_part_is_tried_again_and_counted_once(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder, newer = BundleHolder(), version_of(served, 2)
    holder.current = served
    tried: list[int] = []
    outcomes: list[str] = []

    async def prepare():
        tried.append(1)
        if len(tried) < 3:
            raise DependencyUnavailable("there is no such collection")
        return newer

    with capture_logs() as lines:
        await switches(holder, tmp_path, prepare, lambda: holder.current is newer, outcomes)
    assert len(tried) == 3 and outcomes == ["refused", "switched"]
    assert [line["event"] for line in lines] == ["promoted bundle has to wait", "bundle switched"]


async def test_a_bundle_that_is_followed_by_another_while_it_is_prepared_is_not_refused(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder, newer = BundleHolder(), version_of(served, 3)
    holder.current = served
    outcomes: list[str] = []

    async def prepare():
        if not (tmp_path / "endcap" / "3").exists():
            (tmp_path / "endcap" / "3").mkdir()
            raise DependencyUnavailable("another bundle was promoted meanwhile")
        return newer

    await switches(holder, tmp_path, prepare, lambda: holder.current is newer, outcomes)
    assert outcomes == ["switched"]


@pytest.mark.parametrize("failure", [RuntimeError("anything"), PanicException("anything")])
async def test_whatever_is_wrong_with_a_bundle_the_next_one_is_taken_up(served, tmp_path: Path, failure: BaseException) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder, newer = BundleHolder(), version_of(served, 3)
    holder.current = served
    outcomes: list[str] = []

    def is_switched() -> bool:
        if outcomes == ["refused"]:
            (tmp_path / "endcap" / "3").mkdir(exist_ok=True)
        return holder.current is newer

    async def prepare():
        if not (tmp_path / "endcap" / "3").exists():
            raise failure
        return newer

    await switches(holder, tmp_path, prepare, is_switched, outcomes)
    assert outcomes == ["refused", "switched"]


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


async def test_a_served_folder_that_cannot_be_read_is_said_once_and_looked_at_again(
    served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, newer = BundleHolder(), version_of(served, 2)
    holder.current = served
    looks: list[int] = []

    def readable_at_the_third_look(_served_dir: Path) -> int:
        looks.append(1)
        if len(looks) < 3:
            raise PermissionError("no right to read")
        return 2

    async def prepare():
        return newer

    monkeypatch.setattr("endcap_transformer.live.bundle_watch.served_version", readable_at_the_third_look)
    with capture_logs() as lines:
        await switches(holder, tmp_path, prepare, lambda: holder.current is newer)
    assert [line["event"] for line in lines] == ["served folder cannot be read; the present bundle goes on", "bundle switched"]


async def test_a_bundle_that_the_disk_does_not_give_is_tried_again(served, tmp_path: Path) -> None:
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    holder, newer = BundleHolder(), version_of(served, 2)
    holder.current = served
    failures = [OSError("stale file handle")]

    async def prepare():
        if failures:
            raise failures.pop()
        return newer

    outcomes: list[str] = []
    await switches(holder, tmp_path, prepare, lambda: holder.current is newer, outcomes)
    assert outcomes == ["refused", "switched"]


def test_a_version_that_is_promoted_is_known(tmp_path: Path) -> None:
    assert promoted_version(tmp_path / "none") is None
    (tmp_path / "endcap" / "2").mkdir(parents=True)
    assert promoted_version(tmp_path) == 2
    assert is_promoted(tmp_path, 2) and not is_promoted(tmp_path, 1)


def test_a_version_that_goes_while_it_is_looked_for_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_served_dir: Path) -> int | None:
        raise FileNotFoundError("no such folder")

    monkeypatch.setattr("endcap_transformer.live.bundle_watch.served_version", gone)
    assert promoted_version(tmp_path) is None and not is_promoted(tmp_path, 1)


def test_a_folder_that_cannot_be_read_names_no_other_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_served_dir: Path) -> int | None:
        raise PermissionError("no right to read")

    monkeypatch.setattr("endcap_transformer.live.bundle_watch.served_version", refused)
    with pytest.raises(PermissionError):
        promoted_version(tmp_path)
    assert is_promoted(tmp_path, 1)
