"""The served bundle for who reads its tables: promoted, or named in a store that is a folder or holds objects only."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from endcap.core.errors import BundleInvalid, DependencyUnavailable, InvalidInput
from endcap.core.settings import RolloutSettings, Settings
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import promote_bundle
from endcap.release.bundle.served_bundles import PromotedBundles, ServedBundles, StoredBundles, open_served_bundles
from endcap.release.bundle.served_catalogue import ServedCatalogue
from endcap.release.bundle.served_pointer import ServedPointer, write_pointer
from endcap.release.bundle.store import BundleStore
from tests.endcap.release.bundle.test_store import objects, store  # noqa: F401  # fixtures

MakeBundle = Callable[..., Bundle]
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def served(store: BundleStore, tmp_path: Path) -> ServedBundles:  # noqa: F811
    return StoredBundles(tmp_path / "served.json", store)


def _point(tmp_path: Path, version: int | None) -> None:
    write_pointer(tmp_path / "served.json", ServedPointer(version=version))


def test_another_version_is_taken_up_at_the_next_look(
    served: ServedBundles,
    store: BundleStore,  # noqa: F811
    make_bundle: MakeBundle,
    tmp_path: Path,
) -> None:
    made = {version: make_bundle(version, seed=version) for version in (3, 4)}
    for bundle in made.values():
        store.put(bundle)
    _point(tmp_path, None)
    assert served.version() is None
    for version, bundle in made.items():
        _point(tmp_path, version)
        assert served.version() == version
        assert served.manifest(version) == bundle.manifest
        with served.table(version, "items.parquet") as path:
            assert path.read_bytes() == (bundle.path / "tables" / "items.parquet").read_bytes()


def test_a_bundle_that_the_store_lacks_and_a_table_that_was_changed_are_named(
    served: ServedBundles,
    store: BundleStore,  # noqa: F811
    make_bundle: MakeBundle,
) -> None:
    with pytest.raises(BundleInvalid, match=r"9/endcap/9/bundle\.json: the store does not have the file"):
        served.manifest(9)
    store.put(bundle := make_bundle(5))
    with store.files.open_output_stream(f"{store.folder_of(5)}/endcap/5/tables/items.parquet") as stream:
        content = (bundle.path / "tables" / "items.parquet").read_bytes()
        stream.write(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BundleInvalid, match="not the one that was exported"), served.table(5, "items.parquet"):
        pass
    with pytest.raises(BundleInvalid, match=r"tables/shelf\.parquet: the store does not have the file"), served.table(5, "shelf.parquet"):
        pass


def test_a_promoted_bundle_is_read_where_it_is(make_bundle: MakeBundle, tmp_path: Path) -> None:
    served = PromotedBundles(tmp_path / "home" / "served")
    assert served.version() is None
    bundle = make_bundle(6)
    promoted = promote_bundle(bundle, tmp_path / "home" / "served")
    assert (served.version(), served.manifest(6)) == (6, bundle.manifest)
    with served.table(6, "items.parquet") as path:
        assert path == promoted / "tables" / "items.parquet"


def _settings(tmp_path: Path, **rollouts: Any) -> Settings:
    return Settings(home=tmp_path / "home", rollouts=RolloutSettings(**rollouts))


def test_the_settings_choose_the_promoted_one_or_the_one_pointed_at(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(7)
    promote_bundle(bundle, tmp_path / "home" / "served")
    assert open_served_bundles(_settings(tmp_path)).version() == 7
    pointed = _settings(tmp_path, served_file=tmp_path / "served.json", bundle_store=str(tmp_path / "store"))
    with pytest.raises(DependencyUnavailable, match="nobody has said"):
        open_served_bundles(pointed).version()
    with pytest.raises(InvalidInput, match="ENDCAP_ROLLOUTS__BUNDLE_STORE"):
        open_served_bundles(_settings(tmp_path, served_file=tmp_path / "served.json"))


def test_what_is_counted_comes_from_the_bundle_that_is_pointed_at(make_bundle: MakeBundle, tmp_path: Path) -> None:
    settings = _settings(tmp_path, served_file=tmp_path / "served.json", bundle_store=str(tmp_path / "store"))
    catalogue = ServedCatalogue(settings, lambda: NOW)
    with pytest.raises(DependencyUnavailable, match="nobody has said"):
        catalogue.counts()
    _point(tmp_path, None)
    assert catalogue.counts() is None
    made = make_bundle(8, data_end=NOW)
    _point(tmp_path, 8)
    with pytest.raises(BundleInvalid, match="the store does not have the file"):
        catalogue.counts()
    shutil.copytree(made.path, tmp_path / "store" / "8" / "endcap" / "8")
    counts = catalogue.counts()
    assert counts is not None and counts.answers_at is None
    stored = pl.read_parquet(made.path / "tables" / "items.parquet")
    assert counts.items["purchases_28d"].to_list() == stored["feature_purchases_28d"].to_list()
