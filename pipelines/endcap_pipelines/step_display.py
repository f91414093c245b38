"""What a person sees of a local run: the step that runs, with its bar, and a line for each that is done."""

import io
import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from endcap.core.progress import SHOWN

StepState = Literal["done", "cached", "failed"]

LINES_KEPT = 200
KFP_INDENT = "    "
"""Before each line of a step, as kfp.local prints it."""
REFRESH_S = 0.25
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STARTED = re.compile(r"Executing task '(?P<name>[^']+)'")
_CACHED = re.compile(r"Task '?(?P<name>[^' ]+)'? cache hit")
_FINISHED = re.compile(r"Task '(?P<name>[^']+)' finished with status (?P<status>\w+)")
_RUNNER = re.compile(r"^(\d\d:\d\d:\d\d\.\d+ - INFO - )?(Task |Running pipeline|Pipeline |-{3,}|\s*$)")
"""What kfp.local says around a step's own lines."""
_SHELL = re.compile(r"^(Killed|Terminated|Aborted|Segmentation fault|Bus error|Illegal instruction|Floating point exception)\b")
_RAISED = re.compile(r"^(?P<kind>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$")
_ERROR_NAME = re.compile(r"(Error|Exception|Exit|Interrupt|Warning|Rejected|Refused|Invalid\w*|Unavailable|Unfit)$")
_STYLES = {"done": "green", "cached": "cyan", "failed": "bold red"}


@dataclass(frozen=True)
class StepRun:
    """One step of a run."""

    name: str
    state: StepState
    seconds: float


@dataclass(frozen=True)
class StepError:
    """An exception as Python prints it: the class with its module, and the message's first line that says something."""

    kind: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


def _follows_traceback(lines: list[str], place: int) -> bool:
    """Whether the line before shows the source line that raised, as the end of a traceback does."""
    return place > 0 and lines[place - 1].startswith("    ") and any(line.startswith("Traceback (most recent") for line in lines[:place])


class StepDisplay(io.TextIOBase):
    """Takes kfp.local's output, keeps all of it in a log file, and shows steps instead.

    Attributes:
        steps: the steps that ended, in order.
        last_lines: the newest lines of the step that runs or ended last.
    """

    def __init__(self, console: Console, log_file: Path, progress_file: Path) -> None:
        super().__init__()
        self.steps: list[StepRun] = []
        self.last_lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._console = console
        self._log_file = log_file
        self._progress_file = progress_file
        self._partial = ""
        self._running: tuple[str, float] | None = None
        self._ended = threading.Event()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._watcher = threading.Thread(target=self._watch_progress, daemon=True)

    def __enter__(self) -> Self:
        self._log = self._log_file.open("w", encoding="utf-8")
        self._bars.start()
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._watcher.join()
        self._bars.stop()
        self._log.close()
        self._progress_file.unlink(missing_ok=True)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._log.write(text)
        self._log.flush()
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._read(_COLOUR.sub("", line))
        return len(text)

    def error(self) -> "StepError | None":
        """What the step that ended last raised; None where no line says that it raised anything."""
        lines = [line.rstrip() for line in self.last_lines]
        for place in range(len(lines) - 1, -1, -1):
            found = _RAISED.match(lines[place])
            if found and (_ERROR_NAME.search(found["kind"]) or _follows_traceback(lines, place)):
                message = found["message"] or next((line.strip() for line in lines[place + 1 :] if not _RUNNER.match(line)), "")
                return StepError(found["kind"], message)
        return None

    def ending(self) -> str:
        """How a step ended that raised nothing: the shell's word, such as Killed, and the last line that the step itself said."""
        said = [line.strip() for line in self.last_lines if not _RUNNER.match(line)]
        word = said.pop() if said and _SHELL.match(said[-1]) else ""
        hint = " (systems that run out of memory end processes so)" if word.startswith("Killed") or not said else ""
        return f"its process ended{f': {word}' if word else ''}{hint}{f'; its last line: {said[-1]}' if said else ''}"

    def fail(self) -> None:
        """Name the step that was running as failed."""
        if self._running:
            self._end(self._running[0], "failed")

    def _read(self, line: str) -> None:
        line = line.removeprefix(KFP_INDENT)
        if found := _STARTED.search(line):
            self._start(found["name"])
        elif found := _CACHED.search(line):
            self._start(found["name"])
            self._end(found["name"], "cached")
        elif found := _FINISHED.search(line):
            self._end(found["name"], "done" if found["status"] == "SUCCESS" else "failed")
        elif line.startswith(SHOWN):
            self._console.print(f"  {line.removeprefix(SHOWN)}", highlight=False, markup=False, soft_wrap=True)
        elif self._running:
            # Between steps kfp.local speaks for itself.
            self.last_lines.append(line)

    def _start(self, name: str) -> None:
        self.last_lines.clear()
        self._progress_file.unlink(missing_ok=True)
        self._running = (name, time.monotonic())
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        self._bars.add_task(name, total=None, text="")

    def _end(self, name: str, state: StepState) -> None:
        started = self._running[1] if self._running and self._running[0] == name else time.monotonic()
        step = StepRun(name, state, round(time.monotonic() - started, 1))
        self.steps.append(step)
        self._running = None
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        took = "" if state == "cached" else f"{step.seconds:6.1f} s"
        self._console.print(f"  [{_STYLES[state]}]{state:<7}[/] {name:<22}{took}", highlight=False)

    def _watch_progress(self) -> None:
        while not self._ended.wait(REFRESH_S):
            progress = self._step_progress()
            for task in self._bars.task_ids if progress else ():
                self._bars.update(task, completed=progress["completed"], total=progress["total"], text=progress["text"])

    def _step_progress(self) -> dict[str, Any]:
        try:
            progress: dict[str, Any] = json.loads(self._progress_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        return progress
