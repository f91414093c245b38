"""Bundles reach the store whole or not at all, where a folder can be renamed and where it cannot."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pyarrow.fs import FSSpecHandler, PyFileSystem

from endcap.core.errors import BundleInvalid, DependencyUnavailable, InvalidInput
from endcap.core.settings import RolloutSettings
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.rollout_target import rollout_target
from endcap.release.bundle.store import BundleStore, open_bundle_store

MakeBundle = Callable[..., Bundle]


class ObjectStore(FSSpecHandler):
    """A store of objects in memory: no folders, no rename. It may break off a write, or change what is written."""

    def __init__(self) -> None:
        objects = MemoryFileSystem(skip_instance_cache=True)
        objects.store, objects.pseudo_dirs = {}, [""]
        super().__init__(objects)
        self.written: list[str] = []
        self.breaks_at: str | None = None
        self.changes: str | None = None

    def open_output_stream(self, path: str, metadata: Any) -> Any:
        if self.breaks_at is not None and path.endswith(self.breaks_at):
            raise OSError("the connection broke")
        self.written.append(path)
        stream = super().open_output_stream(path, metadata)
        if self.changes is not None and path.endswith(self.changes):
            stream.write(b"?")
        return stream


@pytest.fixture
def objects() -> ObjectStore:
    return ObjectStore()


@pytest.fixture(params=["a folder", "objects"])
def store(request: pytest.FixtureRequest, tmp_path: Path, objects: ObjectStore) -> BundleStore:
    if request.param == "a folder":
        return open_bundle_store(str(tmp_path / "store"))
    return BundleStore(PyFileSystem(objects), "/bucket/bundles")


def fetched(store: BundleStore, folder: str, target: Path) -> Path:
    """What KServe's storage initializer would make of a stored folder."""
    from pyarrow.fs import LocalFileSystem, copy_files

    copy_files(folder, str(target), source_filesystem=store.files, destination_filesystem=LocalFileSystem())
    return target


def test_a_stored_bundle_has_kserve_s_layout_and_is_the_same(store: BundleStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(7)
    folder = store.put(bundle)
    assert folder == f"{store.root}/7"
    assert open_bundle(fetched(store, folder, tmp_path / "models") / "endcap" / "7").manifest == bundle.manifest


def test_a_stored_bundle_is_fetched_with_every_file_checked(store: BundleStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(7)
    store.put(bundle)
    assert store.fetch(7, tmp_path / "copy").manifest == bundle.manifest
    with pytest.raises(BundleInvalid, match=r"8/endcap/8/bundle\.json"):
        store.fetch(8, tmp_path / "none")


def test_a_stored_bundle_with_changed_bytes_is_not_fetched(objects: ObjectStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    store, bundle = BundleStore(PyFileSystem(objects), "/bucket"), make_bundle(7)
    store.put(bundle)
    with store.files.open_output_stream("/bucket/7/endcap/7/tables/items.parquet") as stream:
        stream.write(b"?")
    with pytest.raises(BundleInvalid, match="not the one that was exported"):
        store.fetch(7, tmp_path / "copy")


def test_what_is_there_already_is_not_written_again(objects: ObjectStore, make_bundle: MakeBundle) -> None:
    store, bundle = BundleStore(PyFileSystem(objects), "/bucket"), make_bundle(7)
    store.put(bundle)
    written = len(objects.written)
    store.put(bundle)
    assert len(objects.written) == written == len(bundle.manifest.files) + 1


def test_in_an_object_store_the_manifest_comes_last(objects: ObjectStore, make_bundle: MakeBundle) -> None:
    BundleStore(PyFileSystem(objects), "/bucket").put(make_bundle(7))
    assert objects.written[-1] == "/bucket/7/endcap/7/bundle.json"


def test_a_copy_that_breaks_off_leaves_no_bundle_and_is_made_up_for(objects: ObjectStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    store, bundle = BundleStore(PyFileSystem(objects), "/bucket"), make_bundle(7)
    objects.breaks_at = "trending.parquet"
    with pytest.raises(DependencyUnavailable, match=r"BUNDLE_STORE.*the connection broke"):
        store.put(bundle)
    assert not any(path.endswith("bundle.json") for path in objects.written)
    objects.breaks_at = None
    assert open_bundle(fetched(store, store.put(bundle), tmp_path / "models") / "endcap" / "7").manifest == bundle.manifest


def test_in_a_folder_a_copy_that_breaks_off_shows_no_version(make_bundle: MakeBundle, tmp_path: Path) -> None:
    store, bundle = open_bundle_store(str(tmp_path / "store")), make_bundle(7)
    kept = tmp_path / "kept"
    shutil.move(bundle.path / "tables" / "trending.parquet", kept)
    with pytest.raises(DependencyUnavailable, match=r"trending\.parquet"):
        store.put(bundle)
    assert not (tmp_path / "store" / "7").exists()
    shutil.move(kept, bundle.path / "tables" / "trending.parquet")
    store.put(bundle)
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["7"]


def test_bytes_that_change_on_the_way_are_noticed(objects: ObjectStore, make_bundle: MakeBundle) -> None:
    objects.changes = "saved_model.pb"
    with pytest.raises(BundleInvalid, match=r"saved_model\.pb.*other bytes"):
        BundleStore(PyFileSystem(objects), "/bucket").put(make_bundle(7))
    assert not any(path.endswith("bundle.json") for path in objects.written)


def test_a_damaged_copy_is_replaced(store: BundleStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(7)
    folder = store.put(bundle)
    with store.files.open_output_stream(f"{folder}/endcap/7/saved_model.pb") as stream:
        stream.write(b"damaged")
    store.files.delete_file(f"{folder}/endcap/7/tables/trending.parquet")
    store.put(bundle)
    assert open_bundle(fetched(store, folder, tmp_path / "models") / "endcap" / "7").manifest == bundle.manifest


def test_another_bundle_of_the_version_is_left_alone(store: BundleStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(7)
    folder = store.put(bundle)
    with pytest.raises(BundleInvalid, match="another bundle of this version"):
        store.put(make_bundle(7, folder=tmp_path / "again", run_id="another"))
    assert open_bundle(fetched(store, folder, tmp_path / "models") / "endcap" / "7").manifest == bundle.manifest


def test_a_store_may_be_named_by_an_address(make_bundle: MakeBundle, tmp_path: Path) -> None:
    open_bundle_store(f"file://{tmp_path}/store/").put(make_bundle(7))
    assert open_bundle(tmp_path / "store" / "7" / "endcap" / "7").manifest.version == 7


def test_a_store_that_cannot_be_written_is_named(make_bundle: MakeBundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DependencyUnavailable, match=r"ENDCAP_ROLLOUTS__BUNDLE_STORE.*file"):
        open_bundle_store(str(tmp_path / "file")).put(make_bundle(7))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"target": "endcap", "storage_uri": "pvc://claim"}, "ENDCAP_ROLLOUTS__BUNDLE_STORE"),
        ({"target": "endcap", "bundle_store": "/bundles"}, "ENDCAP_ROLLOUTS__STORAGE_URI"),
        ({"target": "endcap", "bundle_store": "/bundles", "storage_uri": "/bundles"}, "ENDCAP_ROLLOUTS__STORAGE_URI"),
        ({"target": "endcap", "bundle_store": "ftp://host/bundles", "storage_uri": "pvc://claim"}, "ENDCAP_ROLLOUTS__BUNDLE_STORE"),
    ],
)
def test_a_rollout_s_settings_are_refused_by_name(settings: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        rollout_target(RolloutSettings(**settings))


def test_without_a_target_there_is_no_place_to_roll_out_to() -> None:
    assert rollout_target(RolloutSettings(bundle_store="/bundles")) is None


def test_each_version_has_its_own_storage_uri() -> None:
    target = rollout_target(RolloutSettings(target="endcap", bundle_store="/bundles", storage_uri="pvc://claim/bundles/"))
    assert target is not None
    assert target.storage_uri_of(7) == "pvc://claim/bundles/7"


@pytest.mark.parametrize("name", ["bundle.json", "saved_model.pb"])
def test_a_file_that_the_store_does_not_give_is_not_taken_for_missing(make_bundle: MakeBundle, tmp_path: Path, name: str) -> None:
    store, bundle = open_bundle_store(str(tmp_path / "store")), make_bundle(7)
    stored = tmp_path / "store" / "7" / "endcap" / "7"
    store.put(bundle)
    (stored / name).unlink()
    (stored / name).mkdir()
    with pytest.raises(DependencyUnavailable, match="ENDCAP_ROLLOUTS__BUNDLE_STORE"):
        store.put(bundle)
    assert (stored / name).is_dir()


def test_a_copy_that_lacks_a_file_is_made_whole(store: BundleStore, make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(7)
    folder = store.put(bundle)
    store.files.delete_file(f"{folder}/endcap/7/{next(iter(bundle.manifest.files))}")
    store.put(bundle)
    assert open_bundle(fetched(store, folder, tmp_path / "models") / "endcap" / "7").manifest == bundle.manifest
