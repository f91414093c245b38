"""Figures of some runs, as a table of the pages, made from a benchmark's document."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from endcap_benchmarks.record import RESULTS


def figures_of(name: str, scenarios: Sequence[str], columns: Mapping[str, Sequence[str]], results: Path = RESULTS) -> str:
    """A row each run of these scenarios in `NAME.json`.

    Args:
        name: of the document.
        scenarios: in the order in which they are shown.
        columns: heading, and keys that lead to the figure, such as `("p99_ms", "request")`; a run without it has an empty place.
        results: the folder of documents.

    Raises:
        FileNotFoundError: there is none.
    """
    runs = json.loads((results / f"{name}.json").read_bytes())["runs"]
    head = ["run", "of", *columns]
    lines = [head, ["---", "---", *("---:" for _ in columns)]]
    for scenario in scenarios:
        lines += [[scenario, run["of"], *(_said(run, keys) for keys in columns.values())] for run in runs if run["scenario"] == scenario]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _said(run: Mapping[str, Any], keys: Sequence[str]) -> str:
    value: Any = run
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return "" if value is None else f"{value:,.0f}" if isinstance(value, int) or value >= 1_000 else f"{value:,.4g}"
