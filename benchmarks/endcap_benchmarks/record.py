"""What a benchmark leaves behind: its figures and verdicts, with the machine, the moment and the code that they are of."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from endcap.core.files import replace_text
from endcap_benchmarks.verdict import Verdict

RESULTS = Path("benchmarks/results")
"""Where what is quoted in the pages stands."""

_GIB = 1024**3


def document(runs: Sequence[dict[str, Any]], verdicts: Sequence[Verdict], options: dict[str, Any]) -> dict[str, Any]:
    """Everything, with the machine, the moment and the code it was measured on."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("endcap"),
        **_commit(),
        "machine": machine(),
        "options": options,
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "runs": list(runs),
    }


def write_document(path: Path, content: dict[str, Any]) -> None:
    replace_text(path, json.dumps(content, indent=1) + "\n")


def machine() -> dict[str, Any]:
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": models[0] if models else platform.machine(),
        "memory_gib": round(psutil.virtual_memory().total / _GIB, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _commit() -> dict[str, Any]:
    """The commit of the code that runs; empty where it runs from no checkout."""
    if not _git("ls-files", __file__):
        return {"commit": "", "uncommitted_changes": False}
    return {"commit": _git("rev-parse", "--short", "HEAD"), "uncommitted_changes": bool(_git("status", "--porcelain"))}


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(Path(__file__).parent), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
