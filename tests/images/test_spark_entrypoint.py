"""The Spark image's entry point turns what Spark calls it with into the command that runs. tini is made to print that command."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ENTRYPOINT = Path(__file__).parents[2] / "images" / "spark" / "entrypoint.sh"
EXECUTOR = {
    "SPARK_EXECUTOR_MEMORY": "2g",
    "SPARK_DRIVER_URL": "spark://CoarseGrainedScheduler@driver:7078",
    "SPARK_EXECUTOR_ID": "3",
    "SPARK_EXECUTOR_CORES": "2",
    "SPARK_APPLICATION_ID": "spark-1",
    "SPARK_EXECUTOR_POD_IP": "10.0.0.3",
    "SPARK_RESOURCE_PROFILE_ID": "0",
    "SPARK_EXECUTOR_POD_NAME": "features-exec-3",
}


@pytest.fixture
def started(tmp_path: Path):
    """What the entry point runs, word by word."""
    tini = tmp_path / "tini"
    tini.write_text("#!/bin/sh\nshift 2\nprintf '%s\\n' \"$@\"\n")
    tini.chmod(0o755)

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SPARK_HOME": "/spark", **variables}
        return subprocess.run([ENTRYPOINT, *words], env=environment, capture_output=True, text=True, check=False)

    return run


def test_a_driver_is_submitted_in_its_own_pod(started) -> None:
    done = started("driver", "--class", "a.Main", "local:///job.py", "two words", SPARK_DRIVER_BIND_ADDRESS="10.0.0.2")
    assert done.stdout.splitlines() == [
        "/spark/bin/spark-submit", "--conf", "spark.driver.bindAddress=10.0.0.2", "--deploy-mode", "client",
        "--class", "a.Main", "local:///job.py", "two words",
    ]  # fmt: skip


def test_an_executor_has_its_memory_and_every_option_whole(started) -> None:
    options = {f"SPARK_JAVA_OPT_{number}": f"-Dnumber={number} of 12" for number in range(12)}
    words = started("executor", **EXECUTOR, **options, SPARK_CONF_DIR="/conf", SPARK_EXTRA_CLASSPATH="/delta.jar").stdout.splitlines()
    assert words[:13] == ["java", *(f"-Dnumber={number} of 12" for number in range(12))]
    assert words[13:17] == ["-Xms2g", "-Xmx2g", "-cp", "/delta.jar:/conf:/spark/jars/*"]
    assert dict(zip(words[18::2], words[19::2], strict=True)) == {
        "--driver-url": "spark://CoarseGrainedScheduler@driver:7078",
        "--executor-id": "3",
        "--cores": "2",
        "--app-id": "spark-1",
        "--hostname": "10.0.0.3",
        "--resourceProfileId": "0",
        "--podName": "features-exec-3",
    }


def test_an_executor_without_its_variables_says_which(started) -> None:
    done = started("executor", **{name: value for name, value in EXECUTOR.items() if name != "SPARK_DRIVER_URL"})
    assert done.returncode != 0
    assert "SPARK_DRIVER_URL" in done.stderr


def test_any_other_command_runs_as_it_is(started) -> None:
    assert started("endcap", "--help").stdout.splitlines() == ["endcap", "--help"]
