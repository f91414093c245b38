"""What the benchmark of events is asked to measure and for how long."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from endcap_benchmarks.program import OutputOptions
from endcap_benchmarks.record import RESULTS

RESULT = RESULTS / "events.json"
CHANGED, BESIDE, CPU, COLLECTOR, STREAM, HOSTILE = "changed-answer", "beside", "cpu", "collector", "stream", "hostile"
TO_KAFKA, FRESHNESS, SPARK = "collector-kafka", "freshness", "spark"
SCENARIOS = (COLLECTOR, HOSTILE, CPU, CHANGED, BESIDE, STREAM, TO_KAFKA, FRESHNESS, SPARK)


@dataclass(frozen=True)
class Options(OutputOptions):
    """Attributes:
    items: of the catalogue that is served.
    users: people in the feature store.
    event_rate: events a second beside requests.
    predict_rate: predict requests a second beside events.
    probes: events whose list is watched.
    probe_rate: of these a second.
    turns: pairs of turns without and with events.
    turn_seconds: length of a turn.
    cpu_seconds: length of the load whose CPU time is counted.
    idle_seconds: length of the stretch without load that it is held against.
    collector_seconds: length of a stretch of the collector alone.
    sessions: in the stream's state, ascending.
    stream_steps: of the stream that are measured, a size and function.
    triggers: seconds between two batches of the stream on Spark whose freshness is measured.
    stored_probes: events whose stored row is watched, a stream.
    stored_probe_rate: of these a second.
    spark_events: in Kafka before the stream on Spark begins.
    spark_seconds: that it is measured for, at most.
    kafka: host:port of a Kafka that the collector alone sends to; None for none. Its topics have to be there.
    """

    items: int = 10_000
    users: int = 4_000
    event_rate: float = 200.0
    predict_rate: float = 20.0
    probes: int = 2_000
    probe_rate: float = 5.0
    turns: int = 8
    turn_seconds: float = 15.0
    cpu_seconds: float = 60.0
    idle_seconds: float = 20.0
    collector_seconds: float = 10.0
    sessions: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    stream_steps: int = 6
    triggers: tuple[float, ...] = (0.5, 1.0, 5.0)
    stored_probes: int = 200
    stored_probe_rate: float = 10.0
    spark_events: int = 200_000
    spark_seconds: float = 40.0
    kafka: str | None = None
    scenarios: tuple[str, ...] = SCENARIOS
    out: Path | None = RESULT


QUICK = Options(
    users=500,
    probes=60,
    turns=2,
    turn_seconds=5.0,
    cpu_seconds=10.0,
    idle_seconds=5.0,
    collector_seconds=2.0,
    sessions=(2_000,),
    stream_steps=2,
    triggers=(1.0,),
    stored_probes=20,
    spark_events=45_000,
    spark_seconds=10.0,
    out=None,
)


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Options of the command line; with `--quick` the defaults are those of two minutes."""
    given = vars(_parser().parse_args(arguments))
    base = QUICK if given.pop("quick") else Options()
    if given["scenarios"] or given["kafka"]:
        base = replace(base, out=None)
    chosen: dict[str, Any] = {
        name: tuple(sorted(value) if name in {"sessions", "triggers"} else value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }
    return replace(base, **chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m endcap_benchmarks.events", description="Events: how soon a list follows, and what collector and stream cost."
    )
    parser.add_argument("--items", type=int, help="items of the catalogue (10000)")
    parser.add_argument("--users", type=int, help="people in the feature store (4000)")
    parser.add_argument("--event-rate", type=float, help="events a second (200)")
    parser.add_argument("--predict-rate", type=float, help="predict requests a second beside them (20)")
    parser.add_argument("--probes", type=int, help="events whose list is watched (2000)")
    parser.add_argument("--probe-rate", type=float, help="of these a second (5)")
    parser.add_argument("--turns", type=int, help="pairs of turns without and with events (8)")
    parser.add_argument("--turn-seconds", type=float, help="length of a turn (15)")
    parser.add_argument("--cpu-seconds", type=float, help="length of the load whose CPU time is counted (60)")
    parser.add_argument("--idle-seconds", type=float, help="length of the stretch without load (20)")
    parser.add_argument("--collector-seconds", type=float, help="length of a stretch of the collector alone (10)")
    parser.add_argument("--sessions", type=int, nargs="+", help="sessions in the stream's state (10000 100000 1000000)")
    parser.add_argument("--stream-steps", type=int, help="steps that are measured a size and function (6)")
    parser.add_argument("--triggers", type=float, nargs="+", help="seconds between two batches of Spark's (0.5 1 5)")
    parser.add_argument("--stored-probes", type=int, help="events whose stored row is watched, a stream (200)")
    parser.add_argument("--stored-probe-rate", type=float, help="of these a second (10)")
    parser.add_argument("--spark-events", type=int, help="events in Kafka before Spark begins (200000)")
    parser.add_argument("--spark-seconds", type=float, help="of Spark's that are measured at most (40)")
    parser.add_argument("--kafka", help="host:port of a Kafka that the collector alone sends to; writes no file")
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS)
    parser.add_argument("--out", type=Path, help="the JSON file (benchmarks/results/events.json; with --quick and --scenarios none)")
    parser.add_argument("--quick", action="store_true", help="a few minutes, writes no file")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a goal is missed")
    parser.add_argument("--json", dest="as_json", action="store_true", help="print the JSON document instead of the table")
    return parser
