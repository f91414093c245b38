"""Spark's tables taken up by the pipeline; the part files are written here as Spark lays them out, so that no Spark is needed."""

import shutil

import polars as pl
import pyarrow.parquet as pq
import pytest

from endcap.core.errors import DataRejected
from endcap.features.computed import take_up_computed
from endcap.features.computing import build_feature_tables
from endcap.features.manifest import MANIFEST_NAME, read_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions

OPTIONS = FeatureOptions(test_weeks=2, ranking_windows=2)


@pytest.fixture(scope="module")
def dataset(shop, tmp_path_factory):
    return shop.random_shop(tmp_path_factory.mktemp("data"), 3)


@pytest.fixture(scope="module")
def built(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "features"
    build_feature_tables(dataset, folder, OPTIONS)
    return folder


@pytest.fixture
def computed(built, tmp_path):
    """A folder a table with part files, marks of success and checksums."""
    folder = tmp_path / "computed"
    for table in FEATURE_TABLES:
        (folder / table).mkdir(parents=True)
        whole = pq.read_table(built / f"{table}.parquet")
        half = whole.num_rows // 2
        pq.write_table(whole.slice(0, half), folder / table / "part-00000-a.snappy.parquet")
        pq.write_table(whole.slice(half), folder / table / "part-00001-a.snappy.parquet")
        (folder / table / "_SUCCESS").touch()
        (folder / table / ".part-00000-a.snappy.parquet.crc").touch()
    shutil.copyfile(built / MANIFEST_NAME, folder / MANIFEST_NAME)
    return folder


@pytest.mark.parametrize("as_address", [str, lambda path: path.as_uri()], ids=["folder", "address"])
def test_computed_tables_become_the_folder_that_a_build_makes(computed, built, dataset, tmp_path, as_address):
    out = tmp_path / "features"
    summary = take_up_computed(as_address(computed), dataset, out, OPTIONS)
    assert summary.manifest == read_manifest(out) == read_manifest(built)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in built.iterdir())
    for table in FEATURE_TABLES:
        expected = pl.read_parquet(built / f"{table}.parquet")
        assert pl.read_parquet(out / f"{table}.parquet").equals(expected)
        assert (summary.rows[table], summary.columns[table]) == expected.shape


@pytest.mark.parametrize("options", [FeatureOptions(test_weeks=3, ranking_windows=2), FeatureOptions(test_weeks=2, ranking_windows=1)])
def test_tables_of_other_options_are_not_used(computed, dataset, tmp_path, options):
    assert take_up_computed(str(computed), dataset, tmp_path / "features", options) is None
    assert not (tmp_path / "features").exists()


def test_tables_of_another_dataset_are_not_used(computed, shop, tmp_path):
    assert take_up_computed(str(computed), shop.random_shop(tmp_path / "data", 4), tmp_path / "features", OPTIONS) is None


def test_a_job_that_is_not_done_leaves_nothing_to_use(computed, dataset, tmp_path):
    (computed / MANIFEST_NAME).unlink()
    assert take_up_computed(str(computed), dataset, tmp_path / "features", OPTIONS) is None
    assert take_up_computed(str(tmp_path / "none"), dataset, tmp_path / "features", OPTIONS) is None


def test_rows_that_the_manifest_does_not_tell_of_are_refused_and_the_old_tables_stay(computed, dataset, tmp_path):
    (computed / "item_features" / "part-00001-a.snappy.parquet").unlink()
    out = tmp_path / "features"
    out.mkdir()
    (out / "old").touch()
    with pytest.raises(DataRejected, match="item_features"):
        take_up_computed(str(computed), dataset, out, OPTIONS)
    assert [path.name for path in out.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_table_that_is_not_there_is_refused(computed, dataset, tmp_path):
    shutil.rmtree(computed / "user_item_features")
    with pytest.raises(DataRejected, match="user_item_features"):
        take_up_computed(str(computed), dataset, tmp_path / "features", OPTIONS)


def test_delta_tables_are_refused(computed, dataset, tmp_path):
    (computed / "user_features" / "_delta_log").mkdir()
    with pytest.raises(DataRejected, match="Delta"):
        take_up_computed(str(computed), dataset, tmp_path / "features", OPTIONS)


def test_a_manifest_that_is_none_is_refused(computed, dataset, tmp_path):
    (computed / MANIFEST_NAME).write_text("{}")
    with pytest.raises(DataRejected, match=r"features\.json"):
        take_up_computed(str(computed), dataset, tmp_path / "features", OPTIONS)


def test_a_manifest_that_the_store_does_not_give_is_not_taken_for_a_job_that_is_not_done(computed, dataset, tmp_path):
    (computed / MANIFEST_NAME).unlink()
    (computed / MANIFEST_NAME).mkdir()
    with pytest.raises(OSError, match=r"features\.json"):
        take_up_computed(str(computed), dataset, tmp_path / "features", OPTIONS)
