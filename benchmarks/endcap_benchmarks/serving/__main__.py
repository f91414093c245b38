"""`python -m endcap_benchmarks.serving`: see docs/benchmarks.md."""

import sys
from dataclasses import asdict

from rich.console import Console

from endcap.cli.output import print_json, report_failure
from endcap.core.errors import EndcapError
from endcap.core.settings import load_settings
from endcap_benchmarks.record import document, write_document
from endcap_benchmarks.serving.benchmark import run_benchmark
from endcap_benchmarks.serving.options import parse
from endcap_benchmarks.serving.report import print_report, verdicts

WIDTH = 140
"""Of a table that goes to a file."""


def main() -> int:
    """Measure, print, write; exit code 1 with `--strict` when a goal is missed."""
    options = parse()
    try:
        runs = run_benchmark(load_settings(), options)
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    judged = verdicts(runs)
    content = document(runs, judged, {name: value for name, value in asdict(options).items() if name != "out"})  # a path of one machine
    if options.out is not None:
        write_document(options.out, content)
    if options.as_json:
        print_json(content)
    else:
        print_report(Console() if sys.stdout.isatty() else Console(width=WIDTH), runs, judged)
    return int(options.strict and any(verdict.met is False for verdict in judged))


if __name__ == "__main__":
    sys.exit(main())
