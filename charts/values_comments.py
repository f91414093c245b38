"""values.yaml as data: each value with its path, its default and what the comment above it says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent / "endcap"
VALUES = CHART / "values.yaml"
_SAYS = "# -- "
_SCHEMA = "# @schema "
_SINCE = re.compile(r" Since ([0-9.]+)\.$")
FIRST_VERSION = "0.1.0"


@dataclass(frozen=True)
class Value:
    """One value of the chart.

    Attributes:
        path: its keys, the outermost first.
        default: as in values.yaml.
        says: what it is, for people; empty for a section.
        since: first chart version that has it.
        narrowed: what `@schema` says.
        children: the values of a section, in order.
    """

    path: tuple[str, ...]
    default: Any
    says: str
    since: str
    narrowed: dict[str, Any] = field(default_factory=dict)
    children: tuple["Value", ...] = ()

    @property
    def is_section(self) -> bool:
        return bool(self.children)


def read_values(path: Path = VALUES) -> tuple[Value, ...]:
    """The values of a file, sections with their children.

    Raises:
        ValueError: a value that is no section has no comment, or a section has one.
    """
    text = path.read_text()
    root = yaml.compose(text)
    if not isinstance(root, yaml.MappingNode):
        raise ValueError(f"{path} is no mapping")
    return tuple(_children(root, text.splitlines(), ()))


def leaves(values: tuple[Value, ...]) -> Iterator[Value]:
    """All values that are no sections."""
    for value in values:
        if value.is_section:
            yield from leaves(value.children)
        else:
            yield value


def _children(node: yaml.MappingNode, lines: list[str], path: tuple[str, ...]) -> Iterator[Value]:
    for key, content in node.value:
        here = (*path, str(key.value))
        comment = _comment_above(lines, key.start_mark.line)
        says = " ".join(line.removeprefix(_SAYS) for line in comment if line.startswith(_SAYS))
        narrowed = yaml.safe_load(next((line.removeprefix(_SCHEMA) for line in comment if line.startswith(_SCHEMA)), "{}"))
        is_section = isinstance(content, yaml.MappingNode) and bool(content.value) and not says
        if not is_section and not says:
            raise ValueError(f"{'.'.join(here)}: no comment that starts with `{_SAYS.strip()}`")
        since = _SINCE.search(says)
        yield Value(
            path=here,
            default=yaml.safe_load(yaml.serialize(content)),
            says=_SINCE.sub("", says),
            since=since[1] if since else FIRST_VERSION,
            narrowed=narrowed,
            children=tuple(_children(content, lines, here)) if is_section and isinstance(content, yaml.MappingNode) else (),
        )


def _comment_above(lines: list[str], line: int) -> list[str]:
    above = []
    while line > 0 and lines[line - 1].strip().startswith("#"):
        line -= 1
        above.append(lines[line].strip())
    return above[::-1]
