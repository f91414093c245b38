"""The table of values in the chart's README, from the comments in values.yaml."""

import json
from typing import Any

from values_comments import leaves, read_values


def values_table() -> str:
    """One row a value: key, what it is, default, first version."""
    rows = ["| key | what | default | since |", "| --- | --- | --- | --- |"]
    for value in leaves(read_values()):
        rows.append(f"| `{'.'.join(value.path)}` | {_cell(value.says)} | `{_cell(_shown(value.default))}` | {value.since} |")
    return "\n".join(rows) + "\n"


def _shown(default: Any) -> str:
    return json.dumps(default, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
