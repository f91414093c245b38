"""Running the load process against running parts, with clocks read at both ends of the stretch."""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from endcap.core.errors import EndcapError
from endcap_benchmarks.serving.load.plan import Exchange, LoadPlan, read_exchanges
from endcap_benchmarks.serving.parts import RunningParts
from endcap_benchmarks.serving.usage import LOAD, Usage, between, reading

COMMAND = (sys.executable, "-m", "endcap_benchmarks.serving.load.load")


@dataclass(frozen=True)
class Stretch:
    """What one stretch of load did."""

    plan: LoadPlan
    exchanges: list[Exchange]
    usage: Usage


def drive(parts: RunningParts, plan: LoadPlan) -> Stretch:
    """Send one plan and wait for its end.

    Raises:
        EndcapError: the load process failed.
    """
    with tempfile.TemporaryDirectory(prefix="endcap-load-") as folder:
        plan_path, result_path = Path(folder) / "plan.json", Path(folder) / "result.json"
        plan.write(plan_path)
        process = subprocess.Popen(
            [*COMMAND, str(plan_path), str(result_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            _await(process, "ready")
            watched = parts.processes() | {LOAD: psutil.Process(process.pid)}
            first = reading(watched, parts.http_port)
            _go(process)
            _await(process, "sent")
            last = reading(watched, parts.http_port)
            _, errors = process.communicate()
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            raise EndcapError(f"the load process failed: {errors[-1000:]}")
        return Stretch(plan, read_exchanges(result_path), between(first, last))


def _await(process: "subprocess.Popen[str]", word: str) -> None:
    line = process.stdout.readline().strip() if process.stdout else ""
    if line != f'"{word}"':
        errors = process.stderr.read() if process.stderr else ""
        raise EndcapError(f"the load process ended before it was {word}: {errors[-1000:]}")


def _go(process: "subprocess.Popen[str]") -> None:
    if process.stdin:
        process.stdin.write("go\n")
        process.stdin.flush()
