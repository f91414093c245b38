"""A program that is killed while it sends: what the client had taken arrives after a restart, once."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.clients.keyed_collector import SERVER_KEY, keyed_collector
from tests.clients.python import sending_program
from tests.seeds import SEEDS

pytestmark = pytest.mark.processes

ROUNDS = 3


def started(endpoint: str, folder: Path, count: int) -> "subprocess.Popen[str]":
    arguments = [sys.executable, str(sending_program.__file__), endpoint, SERVER_KEY, str(folder), str(count)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment)


def ids_until_killed(program: "subprocess.Popen[str]", count: int) -> list[str]:
    """The ids that a program says until it is killed, after so many; a last one may be cut off."""
    assert program.stdout is not None
    ids = [program.stdout.readline() for _ in range(count)]
    program.kill()
    ids += program.stdout.readlines()
    program.wait(30)
    program.stdout.close()
    return [line.strip() for line in ids if line.endswith("\n")]


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_client_took_before_a_kill_arrives_once(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    with keyed_collector(tmp_path / "home") as collector:
        taken: list[str] = []
        for killed in range(ROUNDS):
            if killed == ROUNDS - 1:
                collector.kill()
            taken += ids_until_killed(started(collector.endpoint, tmp_path / "queue", 100_000), rng.randrange(1, 400))
        collector.start()
        assert started(collector.endpoint, tmp_path / "queue", 0).wait(60) == 0
        stored = collector.stored("killed")["event_id"].to_list()
    assert set(taken) <= set(stored)
    assert len(stored) == len(set(stored))
    assert not list((tmp_path / "queue").glob("*.ndjson"))
