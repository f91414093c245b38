import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_ports
from endcap_benchmarks.serving.parts import _runs, running_parts

READY = (
    "import json, os, signal, sys\n"
    "print(json.dumps({'pid': os.getpid(), 'ready_s': {'milvus': 1.0}, 'home': os.environ['ENDCAP_HOME']}), flush=True)\n"
    "signal.pause()\n"
)


def test_ports_are_free_and_all_different() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5


def test_the_parts_end_with_the_context(tmp_path: Path) -> None:
    with running_parts(tmp_path, [sys.executable, "-c", READY]) as parts:
        assert psutil.pid_exists(parts.supervisor_pid)
        assert parts.ready_s == {"milvus": 1.0}
        assert parts.url == f"http://127.0.0.1:{parts.http_port}"
        assert parts.processes() == {}
    assert not psutil.pid_exists(parts.supervisor_pid)


def test_parts_that_do_not_come_up_are_an_error_with_what_they_wrote(tmp_path: Path) -> None:
    with (
        pytest.raises(DependencyUnavailable, match="no bundle is promoted"),
        running_parts(tmp_path, [sys.executable, "-c", "import sys; sys.exit('no bundle is promoted')"]),
    ):
        pass


def test_a_process_that_has_ended_runs_no_module() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    known = psutil.Process(process.pid)
    process.communicate(b"\n")
    assert not _runs(known, "transformers")
