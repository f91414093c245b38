"""A benchmark as a program: measure, judge, print, write."""

import sys
from collections.abc import Callable, Iterable, Sequence
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
    measure: gives one row of figures a run.
    judge: holds rows against the goals.
    show: prints the table.
    """

    measure: Callable[[Settings], list[dict[str, Any]]]
    judge: Callable[[Iterable[Row]], list[Verdict]]
    show: Callable[[Console, Sequence[dict[str, Any]], Sequence[Verdict]], None]


def run_program(benchmark: Benchmark, options: OutputOptions) -> int:
    """The exit code: 1 with `strict` when a goal is missed.

    Args:
        benchmark: what is measured.
        options: those of the benchmark, which stand in the document, less the file's path: that is of one machine.
    """
    try:
        runs = benchmark.measure(load_settings())
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    judged = benchmark.judge(runs)
    content = document(runs, judged, {each.name: getattr(options, each.name) for each in fields(options) if each.name != "out"})
    if options.out is not None:
        write_document(options.out, content)
    if options.as_json:
        print_json(content)
    else:
        benchmark.show(Console() if sys.stdout.isatty() else Console(width=WIDTH), runs, judged)
    return int(options.strict and any(verdict.met is False for verdict in judged))
