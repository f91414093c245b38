"""Runs one command that ends with its parent: `python -m endcap_local.parent_watchdog SUPERVISOR_PID COMMAND...`.

Honcho starts every part in a session of its own, so a supervisor that is killed outright would leave its parts behind. The watchdog waits
for the supervisor and the command at once: when the supervisor ends, however it ends, the command gets SIGTERM and then SIGKILL; when the
command ends, the watchdog ends with its exit code; when the watchdog itself is killed, the kernel stops the command.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys

STOP_TIMEOUT_SECONDS = 4.0
PR_SET_PDEATHSIG = 1


def run_until_parent_ends(supervisor_pid: int, command: list[str]) -> int:
    """Run a command until it ends or the supervisor does; its exit code, 128 + n for signal n."""
    try:
        supervisor = os.pidfd_open(supervisor_pid)
    except ProcessLookupError:
        return 0
    own_pid = os.getpid()
    process = subprocess.Popen(command, start_new_session=True, preexec_fn=lambda: _end_with_parent(own_pid))  # noqa: PLW1509 - one thread
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _terminate(process))
    child = os.pidfd_open(process.pid)
    _wait_for_either(supervisor, child)
    if process.poll() is None:
        _stop(process)
    _kill_group(process.pid)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def _end_with_parent(parent_pid: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:
        os._exit(1)


def _wait_for_either(supervisor: int, child: int) -> None:
    poller = select.poll()
    poller.register(supervisor, select.POLLIN)
    poller.register(child, select.POLLIN)
    poller.poll()


def _terminate(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        signal.signal(signal.SIGALRM, lambda *_: _kill_group(process.pid))
        signal.setitimer(signal.ITIMER_REAL, STOP_TIMEOUT_SECONDS)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        _kill_group(process.pid)
        process.wait()


def _kill_group(group: int) -> None:
    """What the command started and left behind is in its process group."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(run_until_parent_ends(int(sys.argv[1]), sys.argv[2:]))
