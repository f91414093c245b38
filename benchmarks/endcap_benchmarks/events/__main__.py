"""`python -m endcap_benchmarks.events`: see docs/benchmarks.md."""

import sys

from endcap_benchmarks.events.benchmark import run_benchmark
from endcap_benchmarks.events.options import parse
from endcap_benchmarks.events.report import print_report, verdicts
from endcap_benchmarks.program import Benchmark, run_program


def main() -> int:
    """Measure, print, write; exit code 1 with `--strict` when a goal is missed."""
    options = parse()
    return run_program(Benchmark(lambda settings: run_benchmark(settings, options), verdicts, print_report), options)


if __name__ == "__main__":
    sys.exit(main())
