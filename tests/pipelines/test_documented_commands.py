"""The commands of docs/pipeline.md work as they stand, against a strict server of many users."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipelines.kfp_server.packages import read_package
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines
from tests.pipelines.kfp_server.tls import certified

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```console\n(.*?)```", (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8"), flags=re.DOTALL)
COMMANDS = [line.removeprefix("$ ") for block in BLOCKS for line in block.splitlines()]
COMPILING, SUBMITTING, SCHEDULING = (
    [command for command in COMMANDS if re.search(f"pipeline {name} ", command)] for name in ("compile", "submit", "(?:un)?schedule")
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the chart and a person's token in it."""
    (tmp_path / "charts" / "endcap").mkdir(parents=True)
    for name in ("Chart.yaml", "values.yaml", "profiles"):
        (tmp_path / "charts" / "endcap" / name).symlink_to(ROOT / "charts" / "endcap" / name)
    (tmp_path / "token").write_text("ann's\n")
    return tmp_path


def run(command: str, folder: Path, **environment: str) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        shlex.split(command), cwd=folder, env={**os.environ, "PATH": path, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_the_page_has_its_commands() -> None:
    assert len(COMPILING) == 2
    assert len(SUBMITTING) == 3
    assert len(SCHEDULING) == 2
    assert all(command.startswith(("endcap pipeline ", "export KF_PIPELINES_ENDPOINT=")) for command in COMMANDS)


@pytest.mark.parametrize("command", COMPILING)
def test_compile_commands_write_a_pipeline(command: str, folder: Path) -> None:
    written = folder / re.fullmatch(r"wrote (.*)\n", run(command, folder))[1]  # type: ignore[index]
    assert read_package(written.read_text()).name == "endcap-training"


def test_submit_commands_start_runs(folder: Path) -> None:
    certificate, tls = certified(folder)
    pipelines = Pipelines(people={"ann's": ["shop"]})
    with serving(pipelines, tls) as address:
        environment = {"KF_PIPELINES_ENDPOINT": address, "ENDCAP_KFP_TOKEN": "ann's"}
        first, *others = SUBMITTING
        told = [run(f"{first} --ca-cert {certificate} --namespace shop", folder, **environment)]
        told += [run(command, folder, KF_PIPELINES_ENDPOINT=address) for command in others]
    assert pipelines.violations == []
    assert told == [f"started run run-{number}: {address}/#/runs/details/run-{number}\n" for number in range(3)]
    assert pipelines.runs["run-1"]["runtime_config"]["parameters"] == {"test_weeks": 8, "two_tower": {"epochs": 3}}
    assert pipelines.runs["run-2"]["pipeline_version_reference"]["pipeline_version_id"] == "version-1"
    assert sorted(name for name, _ in pipelines.experiments.values()) == ["endcap", "nightly"]


def test_schedule_commands_make_a_recurring_run_and_remove_it(folder: Path) -> None:
    _, tls = certified(folder)
    pipelines = Pipelines(people={"ann's": ["shop"]})
    with serving(pipelines, tls) as address:
        run(SUBMITTING[1], folder, KF_PIPELINES_ENDPOINT=address)
        making, removing = SCHEDULING
        assert run(making, folder, KF_PIPELINES_ENDPOINT=address).startswith("made recurring run recurring-0 of endcap-training ")
        assert pipelines.recurring["recurring-0"]["runtime_config"]["parameters"] == {"test_weeks": 8}
        assert run(removing, folder, KF_PIPELINES_ENDPOINT=address) == "removed 1 recurring runs of endcap-training\n"
    assert pipelines.violations == []
    assert pipelines.recurring == {}
