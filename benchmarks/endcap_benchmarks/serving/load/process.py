"""A load process as its parent sees it: it is ready, it is let go, it has sent, it has written what became of it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from endcap.core.errors import EndcapError


class Plan(Protocol):
    """What a load process is to send."""

    def write(self, path: Path) -> None: ...


class LoadProcess:
    """One that is ready.

    Args:
        process: it.
        result: the file that it writes at its end.
    """

    def __init__(self, process: "subprocess.Popen[str]", result: Path) -> None:
        self._process, self._result = process, result
        self._await("ready")

    @property
    def pid(self) -> int:
        return self._process.pid

    def go(self) -> None:
        """Let it send."""
        self._write("go")

    def stop(self) -> None:
        """Let it send no more; answers are still waited for. One that has ended by itself needs no word."""
        with suppress(BrokenPipeError):
            self._write("stop")

    def await_sent(self) -> None:
        """Until the stretch is over.

        Raises:
            EndcapError: the process ended before.
        """
        self._await("sent")

    def finish(self) -> Path:
        """Until it has ended; the file that it wrote.

        Raises:
            EndcapError: it failed.
        """
        _, errors = self._process.communicate()
        if self._process.returncode != 0:
            raise EndcapError(f"the load process failed: {errors[-1000:]}")
        return self._result

    def _write(self, word: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(f"{word}\n")
            self._process.stdin.flush()

    def _await(self, word: str) -> None:
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        if line != f'"{word}"':
            errors = self._process.stderr.read() if self._process.stderr else ""
            raise EndcapError(f"the load process ended before it was {word}: {errors[-1000:]}")


@contextmanager
def load_process(module: str, plan: Plan, prefix: Sequence[str] = ()) -> Iterator[LoadProcess]:
    """Start one, ready to send; it ends with the context.

    Args:
        module: what is run, with the files of plan and result as arguments.
        plan: what it is to send.
        prefix: a command that runs it.

    Raises:
        EndcapError: it did not come up.
    """
    with tempfile.TemporaryDirectory(prefix="endcap-load-") as folder:
        plan_path, result_path = Path(folder) / "plan.json", Path(folder) / "result.json"
        plan.write(plan_path)
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", module, str(plan_path), str(result_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield LoadProcess(process, result_path)
        finally:
            process.kill()
            process.wait()
