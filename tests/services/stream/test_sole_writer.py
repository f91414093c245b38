"""One stream at a time writes a home folder; the next one waits, and takes over."""

import signal
import threading
from pathlib import Path

import pytest

from endcap_stream.sole_writer import sole_writer
from tests.services.stream.stream_process import StreamProcess
from tests.waiting import until

WITHIN_S = 30.0


def test_the_next_one_waits_until_the_one_before_has_ended(tmp_path: Path) -> None:
    has_begun = threading.Event()

    def next_one() -> None:
        with sole_writer(tmp_path, threading.Event()) as is_sole:
            assert is_sole
            has_begun.set()

    with sole_writer(tmp_path, threading.Event()) as is_sole:
        assert is_sole
        (waiting := threading.Thread(target=next_one)).start()
        assert not has_begun.wait(0.2)
    assert has_begun.wait(WITHIN_S)
    waiting.join()


def test_who_is_told_to_stop_while_waiting_writes_nothing(tmp_path: Path) -> None:
    stop = threading.Event()
    with sole_writer(tmp_path, threading.Event()):
        stop.set()
        with sole_writer(tmp_path, stop) as is_sole:
            assert not is_sole


@pytest.mark.processes
def test_a_second_process_is_alive_and_not_ready_until_the_first_one_ends(tmp_path: Path) -> None:
    first = StreamProcess(tmp_path / "home")
    try:
        second = StreamProcess(tmp_path / "home", wait=False)
        try:
            until(second.is_alive, "the second one answers", WITHIN_S)
            assert not second.is_ready()
            assert first.end(signal.SIGTERM) == 0
            until(second.is_ready, "the second one took over", WITHIN_S)
        finally:
            code = second.end(signal.SIGTERM)
        assert code == 0
    finally:
        first.end(signal.SIGKILL)
