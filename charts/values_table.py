"""The table of values in the chart's README, from the comments in values.yaml."""

import json
from typing import Any

from values_comments import CHART, leaves, read_values

README = CHART / "README.md"
BEGIN = "<!-- values: begin -->"
END = "<!-- values: end -->"


def values_table() -> str:
    """One row a value: key, what it is, default, first version."""
    rows = ["| key | what | default | since |", "| --- | --- | --- | --- |"]
    for value in leaves(read_values()):
        rows.append(f"| `{'.'.join(value.path)}` | {_cell(value.says)} | `{_cell(_shown(value.default))}` | {value.since} |")
    return "\n".join(rows)


def readme_with_table(readme: str) -> str:
    """The README with the table renewed.

    Raises:
        ValueError: it has no place for the table.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README.name} has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{values_table()}\n{END}{after}"


def _shown(default: Any) -> str:
    return json.dumps(default, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(readme_with_table(README.read_text()))
