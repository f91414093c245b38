"""Progress bars, one a table, on standard error; nothing is drawn where nobody watches."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from endcap.dataset.sources.source import Watch


@contextmanager
def table_bars(console: Console | None = None) -> Iterator[Watch]:
    """Gives the function that an import or a validation reports its rows to."""
    shown = console or Console(stderr=True)
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TextColumn("rows"), TimeElapsedColumn())
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=shown, disable=not shown.is_terminal) as progress:

        def watch(table: str, rows_done: int, rows: int | None) -> None:
            if table not in bars:
                bars[table] = progress.add_task(table, total=rows)
            progress.update(bars[table], completed=rows_done, total=rows)

        yield watch
