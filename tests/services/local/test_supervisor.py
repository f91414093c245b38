"""Parts live and die together, whatever ends first: a part, the supervisor, or a signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_port
from endcap.core.settings import CollectorSettings, EventSettings, MilvusSettings, ServingSettings, Settings, StreamSettings
from endcap_local.parent_watchdog import run_until_parent_ends
from endcap_local.parts import event_parts, local_parts, require_free_ports
from endcap_local.restarting import NOTICE
from endcap_local.supervisor import PartsLog
from tests.waiting import until

pytestmark = pytest.mark.processes

SCRIPT = """
import sys, time
from pathlib import Path
from endcap.cli.output import report_failure
from endcap.core.errors import EndcapError
from endcap_local.parts import Part
from endcap_local.supervisor import PartsLog, Supervisor
parts = [Part(name, [sys.executable, "-c", code], [], name, eval(sys.argv[3])) for name, code in eval(sys.argv[2])]
log = PartsLog(Path(sys.argv[1]), [part.name for part in parts], None)
try:
    Supervisor(parts, log, lambda part: print("ready", part.name, flush=True)).run()
except EndcapError as error:
    report_failure(error)
    sys.exit(error.exit_code)
"""
SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
WITH_CHILD = "import subprocess, sys; print('up', flush=True); subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
CRASHES = "import sys, time; print('cannot find the thing', flush=True); time.sleep(1); sys.exit(3)"


def start(folder: Path, parts: list[tuple[str, str]], is_ready: str = "lambda: True") -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SCRIPT, str(folder), repr(parts), is_ready]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def everything_below(process: "subprocess.Popen[bytes]", folder: Path, names: list[str]) -> list[psutil.Process]:
    """All processes of the supervisor, once every part has said that it is up."""

    def are_up() -> bool:
        assert process.poll() is None
        return all((folder / f"{name}.log").is_file() and "up" in (folder / f"{name}.log").read_text() for name in names)

    until(are_up, "all parts are up", 60)
    return psutil.Process(process.pid).children(recursive=True)


def assert_all_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_all_parts_and_is_no_failure(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, [("one", SLEEPS), ("two", WITH_CHILD)])
    below = everything_below(process, tmp_path, ["one", "two"])
    process.send_signal(number)
    assert process.wait(timeout=30) == 0
    assert_all_gone(below)


def test_killing_the_supervisor_outright_leaves_nothing_behind(tmp_path: Path) -> None:
    process = start(tmp_path, [("one", SLEEPS), ("two", STUBBORN), ("three", WITH_CHILD)])
    below = everything_below(process, tmp_path, ["one", "two", "three"])
    process.kill()
    process.wait()
    assert_all_gone(below)


def test_killing_a_watchdog_takes_its_part_along(tmp_path: Path) -> None:
    process = start(tmp_path, [("one", SLEEPS), ("two", SLEEPS)])
    below = everything_below(process, tmp_path, ["one", "two"])
    next(each for each in below if "endcap_local.parent_watchdog" in each.cmdline()).kill()
    assert process.wait(timeout=30) == 5
    assert_all_gone(below)


def test_a_part_that_crashes_stops_all_and_its_last_lines_are_shown(tmp_path: Path) -> None:
    process = start(tmp_path, [("one", SLEEPS), ("two", CRASHES)])
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"two ended with exit code 3" in errors
    assert b"cannot find the thing" in errors
    assert (tmp_path / "two.log").read_text().startswith("cannot find the thing")


def test_a_look_at_the_parts_that_fails_ends_all(tmp_path: Path) -> None:
    process = start(tmp_path, [("one", SLEEPS), ("two", STUBBORN)], is_ready="lambda: 1 / 0")
    below: set[psutil.Process] = set()
    until(lambda: below.update(psutil.Process(process.pid).children(recursive=True)) or process.poll() is not None, "it ends", 60)
    assert process.returncode == 1
    assert_all_gone(list(below))


def test_a_look_that_takes_long_is_not_interrupted_by_the_next(tmp_path: Path) -> None:
    process = start(tmp_path, [("one", SLEEPS)], is_ready="lambda: print('looks', flush=True) or time.sleep(1) or print('saw', flush=True)")
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(4)] == [b"looks\n", b"saw\n", b"looks\n", b"saw\n"]
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def test_parts_are_announced_in_order_once_ready(tmp_path: Path) -> None:
    process = start(tmp_path, [("one", SLEEPS), ("two", SLEEPS)])
    assert process.stdout is not None
    assert [process.stdout.readline(), process.stdout.readline()] == [b"ready one\n", b"ready two\n"]
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=30)


def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(home=tmp_path, serving=ServingSettings(http_port=port), milvus=MilvusSettings(managed=False))
        transformer = [part for part in local_parts(settings) if part.name == "transformer"]
        with pytest.raises(DependencyUnavailable, match=f"ENDCAP_SERVING__HTTP_PORT: port {port} for transformer is in use.*--http-port"):
            require_free_ports(transformer)


@pytest.mark.parametrize("name", ["collector", "stream"])
def test_a_part_that_takes_events_and_is_killed_comes_back_and_nothing_else_ends(tmp_path: Path, name: str) -> None:
    ports = {"collector": CollectorSettings(port=free_port()), "stream": StreamSettings(port=free_port())}
    (part,) = (part for part in event_parts(Settings(home=tmp_path, **ports)) if part.name == name)
    notices: list[bytes] = []
    process = subprocess.Popen(part.command, env=os.environ | part.environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    until(part.is_ready, f"the {name} answers", 60)
    (running,) = psutil.Process(process.pid).children()
    running.kill()
    while not (notices and notices[-1].startswith(NOTICE.encode())):
        notices.append(process.stdout.readline())
    assert notices[-1] == f"{NOTICE}{name} ended with exit code -9; it starts again in 1 s\n".encode()
    until(part.is_ready, f"the {name} answers again", 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert not part.is_ready()


def test_where_events_go_to_kafka_collector_and_stream_are_started_too() -> None:
    parts = event_parts(Settings(events=EventSettings(kafka_bootstrap="kafka:9092")))
    assert [part.name for part in parts] == ["collector", "stream"]


def test_a_line_about_a_part_that_comes_back_is_shown(tmp_path: Path) -> None:
    shown: list[str] = []
    log = PartsLog(tmp_path, ["collector"], None, shown.append)
    for data in (f"{NOTICE}collector ended\n", "an own line\n"):
        log.write(SimpleNamespace(name="collector", data=data))
    log.close()
    assert shown == ["collector ended"]


def test_a_milvus_elsewhere_is_not_started_here() -> None:
    assert [part.name for part in local_parts(Settings(milvus=MilvusSettings(managed=False)))] == ["model server", "transformer"]
    assert local_parts(Settings())[0].name == "milvus"


def test_a_part_whose_supervisor_is_gone_is_not_started(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert run_until_parent_ends(gone.pid, ["touch", str(tmp_path / "started")]) == 0
    assert not (tmp_path / "started").exists()
