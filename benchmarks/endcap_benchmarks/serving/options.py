"""What a benchmark is asked to measure and for how long."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from endcap_benchmarks.program import OutputOptions
from endcap_benchmarks.record import RESULTS
from endcap_benchmarks.serving.load.plan import Arrivals, Protocol

RESULT = RESULTS / "serving.json"
SIZES = (10_000, 100_000, 1_000_000)
LATENCY, CACHED, OVERLOAD, REFRESH, EVENT, BULK = "steady", "cached", "overload", "refresh", "next-event", "bulk"
SCENARIOS = (LATENCY, REFRESH, CACHED, OVERLOAD, EVENT, BULK)


@dataclass(frozen=True)
class Options(OutputOptions):
    """Attributes:
    items: catalogue sizes; all scenarios but the steady load are played on the largest.
    seconds: length of a steady run.
    short_seconds: length of a stretch of the other scenarios.
    rate: requests a second.
    users: people in the feature store.
    promoted: measure the promoted bundle instead of made ones.
    profile: sample where the transformer's CPU time goes.
    """

    items: tuple[int, ...] = SIZES
    seconds: float = 60.0
    short_seconds: float = 10.0
    rate: float = 20.0
    arrivals: Arrivals = "poisson"
    users: int = 4_000
    protocols: tuple[Protocol, ...] = ("http", "grpc")
    scenarios: tuple[str, ...] = SCENARIOS
    out: Path | None = RESULT
    promoted: bool = False
    profile: bool = False


QUICK = Options(items=(10_000,), seconds=10.0, short_seconds=2.0, users=500, out=None)


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Options of the command line; with `--quick` the defaults are those of a minute on 10,000 items."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    base = QUICK if given.pop("quick") else Options()
    if given["promoted"] or given["profile"]:
        base = replace(base, scenarios=(LATENCY,), out=None)
    chosen: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items() if value is not None
    }
    return replace(base, **chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m endcap_benchmarks.serving", description="Speed of serving: real processes under an open loop of load."
    )
    parser.add_argument("--items", type=int, nargs="+", help="catalogue sizes (10000 100000 1000000)")
    parser.add_argument("--seconds", type=float, help="length of a steady run (60)")
    parser.add_argument("--short-seconds", type=float, help="length of a stretch of the other scenarios (10)")
    parser.add_argument("--rate", type=float, help="requests a second (20)")
    parser.add_argument("--arrivals", choices=("poisson", "fixed"), help="how requests are spaced (poisson)")
    parser.add_argument("--users", type=int, help="people in the feature store (4000)")
    parser.add_argument("--protocols", nargs="+", choices=("http", "grpc"))
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS)
    parser.add_argument("--out", type=Path, help="the JSON file (benchmarks/results/serving.json; with --quick and --promoted none)")
    parser.add_argument("--quick", action="store_true", help="a minute on 10,000 items")
    parser.add_argument("--promoted", action="store_true", help="measure the promoted bundle under ENDCAP_HOME with its own people")
    parser.add_argument("--profile", action="store_true", help="say where the transformer's CPU time goes")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a goal is missed")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print the JSON document instead of the table")
    return parser
