import json
import os
import signal
from pathlib import Path

import pytest

from endcap_benchmarks.serving.profile import by_innermost, by_library, by_own_function
from endcap_benchmarks.serving.profiled_transformer import StackSampler

USED = {
    (
        "asyncio.runners:run",
        "endcap_transformer.path.request_path:recommend",
        "endcap.engine.retrieval.candidates:union",
    ): 2.0,
    (
        "asyncio.runners:run",
        "endcap_transformer.path.request_path:recommend",
        "numpy.core:sort",
    ): 1.0,
    ("threading:run",): 0.5,
}


def test_time_is_split_by_the_innermost_frames_package() -> None:
    assert by_library(USED) == {"endcap": 2.0, "numpy": 1.0, "python": 0.5}
    assert by_innermost(USED)["numpy.core:sort"] == 1.0


def test_a_function_carries_what_it_calls_and_libraries_are_left_out() -> None:
    assert by_own_function(USED) == {
        "endcap_transformer.path.request_path:recommend": 3.0,
        "endcap.engine.retrieval.candidates:union": 2.0,
    }


def test_recursion_counts_once() -> None:
    assert by_own_function({("endcap.a:f", "endcap.a:f"): 1.0}) == {"endcap.a:f": 1.0}


@pytest.fixture
def undisturbed():
    """Signals of the sampler are given back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGPROF, signal.SIGUSR1)}
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_busy_functions_are_seen(tmp_path: Path, undisturbed) -> None:
    path = tmp_path / "profile.json"
    StackSampler(path).start()
    total = 0
    for _ in range(60):
        total += busy()
    os.kill(os.getpid(), signal.SIGUSR1)
    rows = json.loads(path.read_text())
    assert total
    assert sum(seconds for seconds, stack in rows if any(name.endswith(":busy") for name in stack)) > 0


def busy() -> int:
    return sum(number * number for number in range(20_000))


def test_a_thread_that_has_ended_used_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(_identity: int) -> int:
        raise OSError("no such thread")

    monkeypatch.setattr("endcap_benchmarks.serving.profiled_transformer.time.pthread_getcpuclockid", ended)
    assert StackSampler(tmp_path / "profile.json")._used(1) == 0.0
