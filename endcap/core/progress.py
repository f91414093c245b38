"""Progress bars that also work inside a pipeline step, whose output goes through a pipe and never meets a terminal.

A step writes where it stands to the file that the runner names in the environment; the runner draws the bar.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from endcap.core.files import replace_text

PROGRESS_FILE_VARIABLE = "ENDCAP_PROGRESS_FILE"
REPORT_INTERVAL_S = 0.25
SHOWN = "shown | "
"""Begins a line of a step's output that whoever follows the run sees at once; the rest goes to the log only."""


class StepProgress(Progress):
    """A progress bar on standard error when that is a terminal, and a report for the runner when there is one."""

    def __init__(self, *columns: str | ProgressColumn, report_file: Path | None = None, transient: bool = True) -> None:
        console = Console(stderr=True)
        super().__init__(*(columns or _columns()), console=console, transient=transient, disable=not console.is_terminal)
        self._report_file = report_file or _file_of_environment()
        self._reported_at = 0.0

    def update(self, task_id: Any, **changes: Any) -> None:
        super().update(task_id, **changes)
        self._report(task_id)

    def advance(self, task_id: Any, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._report(task_id)

    def _report(self, task_id: Any) -> None:
        if self._report_file is None or time.monotonic() - self._reported_at < REPORT_INTERVAL_S:
            return
        self._reported_at = time.monotonic()
        task = self._tasks[task_id]
        report = {"text": task.description, "completed": task.completed, "total": task.total}
        replace_text(self._report_file, json.dumps(report))


def _file_of_environment() -> Path | None:
    named = os.environ.get(PROGRESS_FILE_VARIABLE)
    return Path(named) if named else None


def _columns() -> tuple[ProgressColumn, ...]:
    return (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
