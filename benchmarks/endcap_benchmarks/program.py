"""A benchmark as a program: measure, judge, print, write; what was measured before an error is shown and kept."""

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console

from endcap.cli.output import print_json, report_failure
from endcap.core.errors import EndcapError
from endcap.core.settings import Settings, load_settings
from endcap_benchmarks.record import document, write_document
from endcap_benchmarks.report_table import Row
from endcap_benchmarks.verdict import Verdict

Rows = Generator[dict[str, Any], None, None]
"""Figures of runs, each as it ends."""

WIDTH = 140
"""Of a table that goes to a file."""


@dataclass(frozen=True)
class OutputOptions:
    """Attributes:
    out: the JSON file, None for none.
    strict: whether a missed goal ends the program with 1.
    as_json: whether the document is printed instead of the table.
    """

    out: Path | None = None
    strict: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class Benchmark:
    """Attributes:
    measure: gives one row of figures a run, as it ends.
    judge: holds rows against the goals.
    show: prints the table.
    """

    measure: Callable[[Settings], Rows]
    judge: Callable[[Iterable[Row]], list[Verdict]]
    show: Callable[[Console, Sequence[dict[str, Any]], Sequence[Verdict]], None]


def run_program(benchmark: Benchmark, options: OutputOptions) -> int:
    """The exit code: an error's own, or 1 with `strict` when a goal is missed.

    Rows stand beside the file from the moment they are measured, so that no error and no interruption loses what came before it.

    Args:
        benchmark: what is measured.
        options: those of the benchmark, which stand in the document, less the file's path: that is of one machine.
    """
    runs: list[dict[str, Any]] = []
    failure: EndcapError | None = None
    try:
        with closing(benchmark.measure(load_settings())) as measured:
            for row in measured:
                runs.append(row)
                if options.out is not None:
                    write_document(unfinished(options.out), _document(options, runs, benchmark.judge(runs)))
    except EndcapError as error:
        failure = error
        report_failure(error)
    judged = benchmark.judge(runs)
    content = _document(options, runs, judged)
    if runs or failure is None:
        _show(benchmark, options, content, judged)
    if failure is not None:
        return failure.exit_code
    if options.out is not None:
        write_document(options.out, content)
        unfinished(options.out).unlink(missing_ok=True)
    return int(options.strict and any(verdict.met is False for verdict in judged))


def unfinished(out: Path) -> Path:
    """Where rows stand until all are measured."""
    return out.with_suffix(f".unfinished{out.suffix}")


def _document(options: OutputOptions, runs: Sequence[dict[str, Any]], judged: Sequence[Verdict]) -> dict[str, Any]:
    given = {each.name: getattr(options, each.name) for each in fields(options) if each.name != "out"}
    return document(runs, judged, given)


def _show(benchmark: Benchmark, options: OutputOptions, content: dict[str, Any], judged: Sequence[Verdict]) -> None:
    if options.as_json:
        print_json(content)
    else:
        console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
        benchmark.show(console, content["runs"], judged)
