"""`python -m endcap_benchmarks.serving`: see docs/benchmarks.md."""

import sys

from endcap_benchmarks.program import Benchmark, run_program
from endcap_benchmarks.serving.benchmark import run_benchmark
from endcap_benchmarks.serving.options import parse
from endcap_benchmarks.serving.report import print_report, verdicts


def main() -> int:
    """Measure, print, write; exit code 1 with `--strict` when a goal is missed."""
    options = parse()
    return run_program(Benchmark(lambda settings: run_benchmark(settings, options), verdicts, print_report), options)


if __name__ == "__main__":
    sys.exit(main())
