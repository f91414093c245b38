"""What commands print: a table for people, one JSON document for programs with `--json`, and how a failed command says what went wrong."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from endcap.core.errors import EndcapError

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def print_json(document: Any) -> None:
    """Write one JSON document to standard output, at once also where that is a pipe; moments become ISO text."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    sys.stdout.flush()


def print_table(title: str, rows: Sequence[Mapping[str, Any]], console: Console | None = None) -> None:
    """Print rows with the same keys as one table; floats get four significant digits."""
    table = Table(title=title, title_justify="left")
    for name in rows[0] if rows else ():
        table.add_column(name, justify="right" if isinstance(rows[0][name], int | float) else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    (console or Console()).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


EXIT_CODES = {
    0: "done",
    1: "an error without a kind of its own",
    2: "a request, an option or a setting is wrong",
    3: "the dataset cannot be used",
    4: "the bundle is incomplete or corrupt",
    5: "a part endcap needs does not answer",
    6: "the promotion gate refused the bundle",
    7: "the cluster lacks something that the values need",
    8: "a schema breaks readers of its topic",
}


def report_failure(error: EndcapError) -> None:
    """Print one error to standard error, without a stack trace."""
    Console(stderr=True, highlight=False).print(Text.assemble(("error ", "bold red"), str(error)), soft_wrap=True)
