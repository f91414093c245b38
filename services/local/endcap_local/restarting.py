"""Runs one command again whenever it ends: `python -m endcap_local.restarting NAME COMMAND...`.

For parts that others do without: when one ends, the rest goes on, and it comes back after a while, later each time that it did not last.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

NOTICE = "restarting: "
"""Begins a line that people see wherever the part's own lines go."""

FIRST_DELAY_SECONDS, MAX_DELAY_SECONDS = 1.0, 60.0
LASTED_SECONDS = 60.0
"""A run of this length was a good one: the next delay is the first again."""

STOP_TIMEOUT_SECONDS = 3.0
_STOPS = (signal.SIGTERM, signal.SIGINT)


def next_delay(previous: float, ran: float) -> float:
    """Seconds before the next start.

    Args:
        previous: delay before the run that ended; 0 for the first run.
        ran: seconds that it lasted.
    """
    if ran >= LASTED_SECONDS or not previous:
        return FIRST_DELAY_SECONDS
    return min(MAX_DELAY_SECONDS, 2 * previous)


def run_again_and_again(name: str, command: Sequence[str], say: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT, which end the command too.

    Args:
        name: of the part, as people read it.
        command: its arguments.
        say: takes one line each time that it ended.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, (*_STOPS, signal.SIGCHLD))
    delay = 0.0
    while True:
        began = time.monotonic()
        process = subprocess.Popen(command, preexec_fn=_take_signals)  # noqa: PLW1509 - one thread
        while process.poll() is None:
            if signal.sigwait((*_STOPS, signal.SIGCHLD)) != signal.SIGCHLD:
                _stop(process)
                return
        delay = next_delay(delay, time.monotonic() - began)
        say(f"{NOTICE}{name} ended with exit code {process.returncode}; it starts again in {delay:g} s")
        if signal.sigtimedwait(_STOPS, delay) is not None:
            return


def _take_signals() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    run_again_and_again(sys.argv[1], sys.argv[2:], _say)
