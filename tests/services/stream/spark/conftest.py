"""Spark on two threads of this machine, on loopback only."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]


def spark_session(folder: Path, master: str = "local[2]", jars: Path | None = None) -> Any:
    """A session; one at a time in a process."""
    conf = {
        "spark.master": master,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.driver.memory": "1g",
        # Spark's own tasks are its parallelism: more threads in each would only wait for each other.
        "spark.executorEnv.POLARS_MAX_THREADS": "1",
        "spark.executorEnv.PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "services" / "stream")]),
    }
    if jars is not None:
        conf["spark.jars"] = ",".join(str(jar) for jar in sorted(jars.glob("*.jar")))
    submitted = " ".join(f"--conf {name}={value}" for name, value in conf.items())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{submitted} pyspark-shell")
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("POLARS_MAX_THREADS", "1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        # Another zone than UTC: what Spark computes must not depend on it.
        patch.setenv("TZ", "America/New_York")
        from endcap_stream.spark.session import open_session

        session = open_session("tests")
    session.sparkContext.setLogLevel("ERROR")
    return session


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Spark without Kafka."""
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: make test-spark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17 or later")
    opened = spark_session(tmp_path_factory.mktemp("spark"))
    yield opened
    opened.stop()
