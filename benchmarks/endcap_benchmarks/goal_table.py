"""Goals and what was reached, as a table of the pages, made from a benchmark's document."""

import json
from pathlib import Path

from endcap_benchmarks.record import RESULTS
from endcap_benchmarks.verdict import Verdict

_MET = {True: "yes", False: "**no**", None: "not measured"}


def goals_of(name: str, results: Path = RESULTS) -> str:
    """Every goal of `NAME.json` in the folder of results, and what the figures are of.

    Raises:
        FileNotFoundError: there is none.
    """
    content = json.loads((results / f"{name}.json").read_bytes())
    machine, rows = content["machine"], [_row(Verdict(**verdict)) for verdict in content["verdicts"]]
    made = [f"commit {content['commit']}"] if content["commit"] else []
    made += [content["measured_at"][:10], f"{machine['cores']} cores ({machine['cpu']})", f"{machine['memory_gib']:g} GiB"]
    said = f"Measured: {', '.join(made)}, all parts on one machine."
    return "\n".join(["| goal | of | limit | measured | met |", "| --- | --- | --- | ---: | --- |", *rows, "", said])


def _row(verdict: Verdict) -> str:
    value = "" if verdict.value is None else f"{verdict.value:,.4g}" if verdict.value < 1_000 else f"{verdict.value:,.0f}"
    return f"| {verdict.goal} | {verdict.where} | {verdict.limit} | {value} | {_MET[verdict.met]} |"
