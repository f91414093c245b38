import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from endcap.core.errors import InvalidInput
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap_components.train_two_tower.distribution import open_strategy
from tests.components.train_two_tower import made_fit
from tests.endcap.training.made_artifacts import training_dir

pytestmark = pytest.mark.processes

ROOT = Path(made_fit.__file__).parents[3]
TIMEOUT_S = 500


def started(*arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
    """A run of `made_fit`; its output goes to the test's own."""
    told = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "", **environment}
    return subprocess.Popen([sys.executable, made_fit.__file__, *map(str, arguments)], env=told)


def free_addresses(count: int) -> list[str]:
    """Addresses of this machine that nobody listens at."""
    with ExitStack() as sockets:
        try:
            bound = [sockets.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        except OSError as error:
            pytest.skip(f"no loopback ports here: {error}")
        return [f"127.0.0.1:{one.getsockname()[1]}" for one in bound]


def test_two_replicas_learn_what_one_learns_from_the_same_examples(tmp_path: Path) -> None:
    """Their parts of a batch are unequal and their targets' weights differ: means of each replica would not do."""
    assert started("replicas", training_dir(), tmp_path / "weights.npz").wait(TIMEOUT_S) == 0
    weights = np.load(tmp_path / "weights.npz")
    assert (weights["one/replicas"], weights["two/replicas"]) == (1, 2)
    for name in [name for name in weights.files if name.startswith("one/") and not name.endswith("replicas")]:
        np.testing.assert_allclose(weights[name], weights[name.replace("one", "two")], atol=1e-4, err_msg=name)


def test_workers_end_with_the_same_weights(tmp_path: Path) -> None:
    addresses = free_addresses(2)
    workers = []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        workers.append(started("worker", training_dir(), tmp_path / f"{index}.npz", TF_CONFIG=json.dumps(config)))
    try:
        assert [worker.wait(TIMEOUT_S) for worker in workers] == [0, 0]
    finally:
        for worker in workers:
            worker.kill()
    first, second = (np.load(tmp_path / f"{index}.npz") for index in range(2))
    assert (first["index"], second["index"]) == (0, 1)
    assert first["replicas"] == 2
    for name in [name for name in first.files if name != "index"]:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


@pytest.mark.parametrize(("told", "match"), [("{}", "names no workers"), ("{", "JSON"), ("[]", "map")])
def test_workers_that_nobody_names_are_an_error(monkeypatch: pytest.MonkeyPatch, told: str, match: str) -> None:
    prepare_tensorflow(0)
    monkeypatch.setenv("TF_CONFIG", told)
    with pytest.raises(InvalidInput, match=f"TF_CONFIG.*{match}"):
        open_strategy("multi_worker")


def test_one_device_is_what_there_is_without_gpus_or_workers() -> None:
    prepare_tensorflow(0)
    strategy = open_strategy("auto")
    assert strategy.is_chief
    assert (strategy.worker.count, strategy.worker.replicas) == (1, 1)
