"""One program of a control plane as a process."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from endcap.core.polling import poll

STOP_TIMEOUT_S = 30.0
POLL_S = 0.05
LOG_TAIL = 3000


class ProgramProcess:
    """Runs a command under the parent watchdog, so that it ends with the tests however they end.

    Args:
        name: of its log file.
        command: program and arguments.
        logs: folder of the log; each start appends.
    """

    def __init__(self, name: str, command: Sequence[str], logs: Path) -> None:
        self._command = [sys.executable, "-m", "endcap_local.parent_watchdog", str(os.getpid()), *command]
        self._log = logs / f"{name}.log"
        self.name = name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start without waiting."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def wait_until(self, is_ready: Callable[[], bool], within_s: float) -> None:
        """Return once it is ready.

        Raises:
            RuntimeError: it ended or took too long; with the end of its log.
        """

        def code() -> int | None:
            return self._process.poll() if self._process else None

        if not poll(lambda: is_ready() or code() is not None, every_s=POLL_S, within_s=within_s) or code() is not None:
            raise RuntimeError(f"{self.name}: {'not ready' if code() is None else f'ended with {code()}'}:\n{self.written()[-LOG_TAIL:]}")

    def written(self) -> str:
        return self._log.read_text(errors="replace") if self._log.is_file() else ""

    def stop(self) -> None:
        """It is gone after this; stopping what does not run does nothing."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_TIMEOUT_S)
        self._process = None
