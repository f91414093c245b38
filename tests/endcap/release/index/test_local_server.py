"""The local Milvus stays on 127.0.0.1, leaves nothing behind, and says clearly when it cannot help."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings, Settings
from endcap.release.index.connection import answers
from endcap.release.index.local_server import LocalMilvus, _sole_user, listening_addresses, milvus_beside, running_milvus
from endcap.release.index.milvus_program import bind_to_loopback

pytestmark = pytest.mark.processes


def milvus_processes(folder: Path) -> list[psutil.Process]:
    """Those that run in this home: homes share the program."""
    running = psutil.process_iter(["name", "cwd"])
    return [each for each in running if each.info["name"] == "milvus" and (each.info["cwd"] or "").startswith(str(folder.resolve()))]


def test_every_port_is_on_loopback(milvus: MilvusSettings, milvus_home: Path) -> None:
    (process,) = milvus_processes(milvus_home)
    addresses = listening_addresses(process.pid)
    assert len(addresses) >= 5
    assert {address.split(".")[0] for address in addresses} == {"127"}


def test_one_that_answers_is_used_and_left_running(milvus: MilvusSettings, milvus_home: Path, tmp_path: Path) -> None:
    with running_milvus(Settings(home=tmp_path, milvus=milvus)):
        assert answers(milvus)
    assert answers(milvus)
    assert not (tmp_path / "milvus").exists()


def test_a_second_server_does_not_collide_and_dies_with_its_killed_parent(
    milvus: MilvusSettings, milvus_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "milvus").mkdir()
    (tmp_path / "milvus" / "bin").symlink_to(milvus_home / "milvus" / "bin")
    port = free_port()
    environment = os.environ | {"ENDCAP_HOME": str(tmp_path), "ENDCAP_MILVUS__PORT": str(port)}
    parent = subprocess.Popen(
        [sys.executable, "-m", "endcap.release.index.local_server"], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert parent.stderr is not None
        assert any("milvus serves" in line for line in parent.stderr)
        (child,) = psutil.Process(parent.pid).children()
        assert {address.split(".")[0] for address in listening_addresses(child.pid)} == {"127"}
        assert answers(milvus)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    child.wait(timeout=10)
    assert not child.is_running()


def test_a_milvus_that_is_not_managed_must_be_there() -> None:
    settings = Settings(milvus=MilvusSettings(port=free_port(), managed=False))
    with pytest.raises(DependencyUnavailable, match="no Milvus answers"), running_milvus(settings):
        pass


def test_other_work_goes_on_until_the_server_is_waited_for(milvus: MilvusSettings, tmp_path: Path) -> None:
    with milvus_beside(Settings(home=tmp_path, milvus=milvus)) as wait:
        wait()
        assert answers(milvus)


def test_one_that_cannot_start_is_told_where_it_is_waited_for() -> None:
    settings = Settings(milvus=MilvusSettings(port=free_port(), managed=False))
    with milvus_beside(settings) as wait, pytest.raises(DependencyUnavailable, match="no Milvus answers"):
        wait()


def test_another_machine_is_never_started_here() -> None:
    settings = Settings(milvus=MilvusSettings(host="192.0.2.1", port=free_port()))
    with pytest.raises(DependencyUnavailable, match=r"192\.0\.2\.1"), running_milvus(settings):
        pass


def test_a_port_that_something_else_holds_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(home=tmp_path, milvus=MilvusSettings(port=other.getsockname()[1]))
        with pytest.raises(DependencyUnavailable, match="something else listens"), running_milvus(settings):
            pass


def test_an_unknown_build_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    program = tmp_path / "milvus"
    program.write_bytes(b"another build")
    with pytest.raises(DependencyUnavailable, match=r"127\.0\.0\.1"):
        bind_to_loopback(program)
    assert program.read_bytes() == b"another build"


def test_stopping_twice_is_harmless(tmp_path: Path) -> None:
    server = LocalMilvus(tmp_path, 1)
    server.stop()
    server.stop()
    assert server.pid is None


def test_a_folder_that_another_command_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("endcap.release.index.local_server.answers", lambda *_, **__: True)
    with _sole_user(tmp_path, MilvusSettings()) as first, _sole_user(tmp_path, MilvusSettings()) as second:
        assert (first, second) == (True, False)
