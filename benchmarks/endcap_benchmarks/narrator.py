"""Where a benchmark is: a bar on a terminal, a line a step elsewhere; both on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

REFRESHES_A_SECOND = 1


class Narrator:
    """A bar on a terminal, a line a step elsewhere; both on standard error.

    Args:
        progress: a running bar, None without a terminal.
        console: standard error.
        steps: how many there will be.
    """

    def __init__(self, progress: Progress | None, console: Console, steps: int) -> None:
        self._progress = progress
        self._console = console
        self._task = progress.add_task("", total=steps) if progress else None

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Count one step when its body is done."""
        if self._progress is None or self._task is None:
            self._console.print(text, highlight=False)
            yield
            return
        self._progress.update(self._task, description=text)
        yield
        self._progress.advance(self._task)

    def say(self, text: str) -> None:
        """Say where the present step is."""
        if self._progress is None or self._task is None:
            self._console.print(f"  {text}", highlight=False)
        else:
            self._progress.update(self._task, description=text)


@contextmanager
def narrated(steps: int) -> Iterator[Narrator]:
    """Tell of so many steps.

    Args:
        steps: that the body has.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Narrator(None, console, steps)
        return
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True, refresh_per_second=REFRESHES_A_SECOND) as progress:
        yield Narrator(progress, console, steps)
