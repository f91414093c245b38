import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_local.restarting import FIRST_DELAY_SECONDS, LASTED_SECONDS, MAX_DELAY_SECONDS, NOTICE, next_delay
from tests.waiting import until


@given(st.lists(st.floats(0, LASTED_SECONDS, exclude_max=True), max_size=12))
def test_each_run_that_did_not_last_doubles_the_delay_up_to_a_minute(runs: list[float]) -> None:
    delay = 0.0
    for number, ran in enumerate(runs):
        delay = next_delay(delay, ran)
        assert delay == min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**number)


def test_a_run_that_lasted_starts_again_soon() -> None:
    assert next_delay(MAX_DELAY_SECONDS, LASTED_SECONDS) == FIRST_DELAY_SECONDS


def start(code: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "endcap_local.restarting", "the part", sys.executable, "-c", code]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


@pytest.mark.processes
def test_a_part_that_ends_is_started_again_with_a_line(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    process = start(f"open({str(starts)!r}, 'a').write('x'); raise SystemExit(3)")
    assert process.stdout is not None
    assert process.stdout.readline().decode() == f"{NOTICE}the part ended with exit code 3; it starts again in 1 s\n"
    until(lambda: starts.read_text() == "xx", "it started again", 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_part_too(tmp_path: Path, number: signal.Signals) -> None:
    ended = tmp_path / "ended"
    code = f"""
import signal, sys
def end(*_):
    open({str(ended)!r}, 'w').close()
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('up', flush=True)
signal.pause()
"""
    process = start(code)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    process.send_signal(number)
    assert process.wait(60) == 0
    assert ended.exists()
