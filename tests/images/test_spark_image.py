"""Spark's image: the application computes feature tables as its user, with what the image holds."""

import json
import shutil

import polars as pl
import pytest

from endcap.features.names import FEATURE_TABLES
from images.dry_build import DryBuild
from tests.endcap.features.made_shop import random_shop
from tests.images.image_home import empty_home, give_home
from tests.images.image_run import assert_sound, succeed

pytestmark = pytest.mark.processes

IMAGE = "spark"
ON_LOOPBACK = (
    "spark.driver.bindAddress=127.0.0.1",
    "spark.driver.host=127.0.0.1",
    "spark.ui.enabled=false",
    "spark.sql.shuffle.partitions=2",
)


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "spark")


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java; the image installs its own from Debian")
def test_the_application_writes_every_table(build: DryBuild) -> None:
    empty_home(build)
    dataset = random_shop(build.home / "data", 3)
    (dataset / "dataset.json").write_text(json.dumps({"fingerprint": "made up"}))
    give_home(build)
    data, out = f"file:///var/lib/endcap/{dataset.relative_to(build.home)}", "file:///var/lib/endcap/features"
    conf = [word for setting in ON_LOOPBACK for word in ("--conf", setting)]
    submit = ["/opt/venv/lib/python3.11/site-packages/pyspark/bin/spark-submit", "--master", "local[2]", *conf]
    options = ["--data", data, "--out", out, "--test-weeks", "2", "--ranking-windows", "2"]
    succeed(build, *submit, "/opt/endcap/features_on_spark.py", *options, SPARK_LOCAL_IP="127.0.0.1")
    tables = {table: pl.read_parquet(build.home / "features" / table / "*.parquet").height for table in FEATURE_TABLES}
    assert all(tables.values()), tables
