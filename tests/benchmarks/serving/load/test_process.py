"""A load process's words with its parent; the process is a small program of the test's own."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from endcap.core.errors import EndcapError
from endcap_benchmarks.serving.load.process import load_process

pytestmark = pytest.mark.processes

PROGRAM = """
import json, pathlib, sys
print(json.dumps("ready"), flush=True)
words = [sys.stdin.readline().strip()]
if words == ["go"] and {waits}:
    words.append(sys.stdin.readline().strip())
print(json.dumps("sent"), flush=True)
pathlib.Path(sys.argv[2]).write_text(json.dumps([json.loads(pathlib.Path(sys.argv[1]).read_text()), words]))
"""


@dataclass
class Plan:
    text: str

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(self.text), encoding="utf-8")


def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> str:
    (tmp_path / "made_load.py").write_text(program, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "made_load"


def test_it_is_let_go_and_stopped_and_says_what_became_of_its_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with load_process(module(tmp_path, monkeypatch, PROGRAM.format(waits=True)), Plan("clicks")) as load:
        load.go()
        load.stop()
        load.await_sent()
        assert json.loads(load.finish().read_text()) == ["clicks", ["go", "stop"]]


def test_a_load_that_ended_by_itself_may_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with load_process(module(tmp_path, monkeypatch, PROGRAM.format(waits=False)), Plan("clicks")) as load:
        load.go()
        load.await_sent()
        psutil.wait_procs([psutil.Process(load.pid)], timeout=20)
        load.stop()
        assert json.loads(load.finish().read_text()) == ["clicks", ["go"]]


@pytest.mark.parametrize("program", ["import sys; sys.exit('no plan')", "print('\"nothing\"')"])
def test_one_that_is_not_ready_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    with (
        pytest.raises(EndcapError, match="ended before it was ready"),
        load_process(module(tmp_path, monkeypatch, program), Plan("")),
    ):
        pass


def test_a_command_may_stand_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = [sys.executable, "-c", "import os, sys; os.environ['MADE'] = 'yes'; os.execv(sys.argv[1], sys.argv[1:])"]
    program = PROGRAM.format(waits=False).replace("words = [", "import os\nwords = [os.environ['MADE'], ")
    with load_process(module(tmp_path, monkeypatch, program), Plan(""), prefix) as load:
        load.go()
        load.await_sent()
        assert json.loads(load.finish().read_text())[1] == ["yes", "go"]
