"""The Spark job against the DuckDB build; `make test-spark` runs it in an environment of its own."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from endcap.core.errors import DataRejected, DependencyUnavailable
from endcap.features.computing import build_feature_tables
from endcap.features.manifest import read_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.features.snapshots import FeatureOptions

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed: make test-spark"),
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17 or later"),
]
OPTIONS = FeatureOptions(test_weeks=2, ranking_windows=2)
TOLERANCE = 1e-5
BEFORE = "part-00000-before.snappy.parquet"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """Spark on two threads of this machine, on loopback only."""
    folder = tmp_path_factory.mktemp("spark")
    conf = {
        "spark.master": "local[2]",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.memory": "1g",
    }
    submitted = " ".join(f"--conf {name}={value}" for name, value in conf.items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{submitted} pyspark-shell")
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        # Another zone than UTC: what Spark computes must not depend on it.
        patch.setenv("TZ", "America/New_York")
        from endcap.features.spark.job import open_session

        opened = open_session()
    yield opened
    opened.stop()


def made_dataset(shop, folder, **given):
    dataset = shop.random_shop(folder, 3, **given)
    (dataset / "dataset.json").write_text(json.dumps({"fingerprint": "made up"}))
    return dataset


@pytest.fixture(scope="module")
def built(shop, session, tmp_path_factory):
    """One dataset's tables by both engines."""
    from endcap.features.spark.job import build_on_spark

    folder = tmp_path_factory.mktemp("both")
    dataset = made_dataset(shop, folder / "data")
    by_duckdb = build_feature_tables(dataset, folder / "duckdb", OPTIONS)
    old = folder / "spark" / "item_features" / BEFORE
    old.parent.mkdir(parents=True)
    pl.DataFrame({"item_id": ["old"]}).write_parquet(old)
    by_spark = build_on_spark(session, str(dataset), (folder / "spark").as_uri(), OPTIONS)
    return SimpleNamespace(folder=folder, dataset=dataset, duckdb=by_duckdb, spark=by_spark)


@pytest.mark.parametrize("table", FEATURE_TABLES)
def test_spark_computes_what_duckdb_computes(built, table):
    key = ["event_timestamp", "item_id" if table == "item_features" else "user_id"]
    expected = pl.read_parquet(built.folder / "duckdb" / f"{table}.parquet")
    found = pl.read_parquet(built.folder / "spark" / table / "*.parquet")
    assert found.schema == expected.schema
    assert_frame_equal(found.sort(key), expected.sort(key), abs_tol=TOLERANCE, rel_tol=TOLERANCE)


@pytest.mark.parametrize("table", FEATURE_TABLES)
def test_part_files_are_in_the_order_of_snapshot_and_entity(built, table):
    key = ["event_timestamp", "item_id" if table == "item_features" else "user_id"]
    parts = sorted((built.folder / "spark" / table).glob("*.parquet"))
    assert (
        pl.concat([pl.read_parquet(part) for part in parts])
        .select(key)
        .equals(pl.read_parquet(built.folder / "duckdb" / f"{table}.parquet").select(key))
    )


def test_both_manifests_are_the_same(built):
    assert read_manifest(built.folder / "spark") == read_manifest(built.folder / "duckdb")
    assert (built.spark.rows, built.spark.columns) == (built.duckdb.rows, built.duckdb.columns)


def test_the_pipeline_takes_up_what_spark_wrote(built, tmp_path):
    from endcap.features.computed import take_up_computed

    taken = take_up_computed(str(built.folder / "spark"), built.dataset, tmp_path / "features", OPTIONS)
    assert (taken.manifest, taken.rows, taken.columns) == (built.duckdb.manifest, built.duckdb.rows, built.duckdb.columns)
    for table in FEATURE_TABLES:
        written = pl.read_parquet(built.folder / "spark" / table / "*.parquet")
        assert pl.read_parquet(tmp_path / "features" / f"{table}.parquet").equals(written)


def test_the_build_before_is_replaced(built):
    assert not (built.folder / "spark" / "item_features" / BEFORE).exists()


def assert_refused(session, dataset, tmp_path, match):
    from endcap.features.spark.job import build_on_spark

    finished = tmp_path / "features" / "features.json"
    finished.parent.mkdir()
    finished.write_text("of the build before")
    with pytest.raises(DataRejected, match=match):
        build_on_spark(session, str(dataset), str(finished.parent), OPTIONS)
    assert [path.name for path in finished.parent.iterdir() if not path.name.startswith(".")] == ["features.json"]


def test_a_missing_table_is_named_and_the_old_tables_stay(session, tmp_path):
    assert_refused(session, tmp_path / "none", tmp_path, r"events\.parquet")


def test_a_corrupt_table_is_named_and_the_old_tables_stay(session, shop, tmp_path):
    dataset = made_dataset(shop, tmp_path / "data")
    (dataset / "items.parquet").write_bytes(b"PAR1 not really")
    assert_refused(session, dataset, tmp_path, r"items\.parquet")


def test_a_dataset_without_purchases_is_refused(session, shop, tmp_path):
    assert_refused(session, made_dataset(shop, tmp_path / "data", events=[]), tmp_path, "no purchases")


def test_a_dataset_shorter_than_the_evaluation_weeks_is_refused(session, shop, tmp_path):
    events = shop.random_events(1, weeks=1)
    assert_refused(session, made_dataset(shop, tmp_path / "data", events=events), tmp_path, "spans less")


def test_a_dataset_without_a_fingerprint_is_refused(session, shop, tmp_path):
    assert_refused(session, shop.random_shop(tmp_path / "data", 3), tmp_path, r"dataset\.json")


def test_delta_without_its_library_is_refused_before_anything_is_computed(session, tmp_path):
    from endcap.features.spark.job import build_on_spark

    with pytest.raises(DependencyUnavailable, match="Delta"):
        build_on_spark(session, str(tmp_path / "none"), str(tmp_path / "features"), OPTIONS, "delta")


def test_the_submitted_job_ends_with_the_errors_code(tmp_path):
    """As the Spark operator runs it: a file of two lines, by spark-submit."""
    import pyspark

    job = tmp_path / "features_on_spark.py"
    job.write_text("from endcap.features.spark.job import main\nraise SystemExit(main())\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ENDCAP_")}
    environment |= {"PYTHONPATH": str(Path(__file__).parents[3]), "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    submit = [Path(pyspark.__path__[0]) / "bin" / "spark-submit", "--master", "local[1]", "--conf", "spark.ui.enabled=false"]
    arguments = ["--data", str(tmp_path / "none"), "--out", str(tmp_path / "features"), "--test-weeks", "2"]
    done = subprocess.run([*submit, job, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == DataRejected.exit_code, done.stderr[-2000:]
    assert "events.parquet" in done.stdout
    assert not (tmp_path / "features").exists()


def test_users_and_promotions_may_be_left_out(session, shop, tmp_path):
    from endcap.features.spark.job import build_on_spark

    dataset = shop.write_shop(
        tmp_path / "data", shop.random_events(seed=5, weeks=8, users=3), [shop.item(f"i{number}") for number in range(15)]
    )
    (dataset / "dataset.json").write_text(json.dumps({"fingerprint": "made up"}))
    build_on_spark(session, str(dataset), str(tmp_path / "features"), FeatureOptions(test_weeks=1, ranking_windows=1))
    assert pl.read_parquet(tmp_path / "features" / "item_features" / "*.parquet")["display_share"].max() == 0
