"""One part of a deployment as a process that a test may kill, freeze and start again."""

import ctypes
import os
import signal
import subprocess
from pathlib import Path

import psutil

from endcap_local.parts import Part
from tests.waiting import until

START_TIMEOUT_S = 240.0
"""Generous: a machine may be busy, and a Milvus that was killed takes its old parts for living ones for a while."""
STOP_TIMEOUT_S = 60.0
POLL_S = 0.05
PR_SET_PDEATHSIG = 1


class PartProcess:
    """Runs one part; it is killed when the thread that started it ends.

    Args:
        part: what to run, and how one sees that it answers.
        logs: folder of its log files, one a start.
        working: name of the process that does the work when it is a child of the one that is started.
    """

    def __init__(self, part: Part, logs: Path, working: str | None = None) -> None:
        self.part = part
        self._logs = logs
        self._working = working
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    @property
    def log(self) -> Path:
        """What the present process has written."""
        return self._logs / f"{self.part.name.replace(' ', '-')}-{self._starts}.log"

    def start(self, **environment: str) -> None:
        """Start without waiting."""
        self._starts += 1
        self._logs.mkdir(parents=True, exist_ok=True)
        parent = os.getpid()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.part.command,
                env=os.environ | self.part.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509 - no lock is taken in there
            )

    def wait_until_ready(self) -> None:
        """Return when it answers."""
        until(lambda: self.part.is_ready() or self.code() is not None, f"{self.part.name} did not come up", START_TIMEOUT_S)
        assert self.code() is None, f"{self.part.name} ended with {self.code()}:\n{self.written()[-3000:]}"

    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll() if self._process else None

    def written(self) -> str:
        return self.log.read_text(errors="replace") if self.log.is_file() else ""

    def psutil(self) -> psutil.Process:
        """The process that does the work."""
        assert self._process is not None
        started = psutil.Process(self._process.pid)
        if self._working is None:
            return started
        return next(each for each in started.children(recursive=True) if each.name() == self._working)

    def kill(self) -> None:
        """SIGKILL to the working process, then wait for the started one."""
        self.psutil().kill()
        assert self._process is not None
        self._process.wait(STOP_TIMEOUT_S)

    def freeze(self) -> None:
        self.psutil().suspend()

    def thaw(self) -> None:
        self.psutil().resume()

    def terminate(self) -> None:
        """Ask it to stop, without waiting."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        assert self._process is not None
        return self._process.wait(STOP_TIMEOUT_S)

    def end(self) -> None:
        """Whatever state it is in, it is gone after this."""
        if self._process is None or self._process.poll() is not None:
            return
        below = psutil.Process(self._process.pid).children(recursive=True)
        for each in (*below, self._process):
            each.kill()
        self._process.wait(STOP_TIMEOUT_S)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
