"""Values as a mapping writes them in YAML."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*"


def scalar(value: Any) -> str:
    """A text, number or truth value; in quotes where it would be read as something else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    is_plain = re.fullmatch(_PLAIN, value) and value.lower() not in ("true", "false", "null")
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def listed(values: Sequence[str]) -> str:
    """A list on one line."""
    return f"[{', '.join(scalar(value) for value in values)}]"


def flow(value: Any) -> str:
    """A scalar, list or object on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(name)}: {scalar(part)}' for name, part in value.items())}}}"
    return listed(value) if isinstance(value, list) else scalar(value)


def sql_name(column: str) -> str:
    """A column's name in a condition."""
    return column if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", column) else '"' + column.replace('"', '""') + '"'
