"""Reading YAML that people write by hand: plain values with the line of each, and nothing that could surprise them or harm the server."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from endcap.core.errors import InvalidInput

SIZE_MAX_BYTES = 2 * 1024 * 1024
DEPTH_MAX = 16

Path = tuple[str | int, ...]
"""Where a value stands: keys and places in lists, from the top."""


@dataclass(frozen=True)
class YamlDocument:
    """One document.

    Attributes:
        value: dicts with text keys, lists, text, numbers, booleans and None.
        lines: line (from 1) of every value, by path.
    """

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of `path`, or of the closest thing around it that has one."""
        return next((self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), None)


def read_yaml(text: str, name: str) -> YamlDocument:
    """Read one document with the scalars of YAML 1.2: `no` is a word, `08:00` and `2026-11-27` are text, `007` is not seven.

    Tags, anchors and aliases are refused, keys are text and stand once, and nesting is bounded.

    Args:
        text: the document.
        name: what error messages call it.

    Raises:
        InvalidInput: with the line.
    """
    if len(text) > SIZE_MAX_BYTES:
        raise InvalidInput("the file is too long", field=name, value=f"{len(text)} characters", fix=f"at most {SIZE_MAX_BYTES}")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    builder = _Builder(name)
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error, text, name) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InvalidInput(f"no YAML: {error}", field=name, fix="save the file as UTF-8 text") from None
    return YamlDocument(builder.value, builder.lines)


_NOT_AT_THE_START = "%@`"
"""Signs with which YAML lets no value begin."""


def _unreadable(error: yaml.MarkedYAMLError, text: str, name: str) -> InvalidInput:
    mark = error.problem_mark
    if mark is None:
        return InvalidInput(f"no YAML: {error.problem}", field=name)
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}"
    found = "".join(text.split("\n")[mark.line : mark.line + 1])[mark.column :]
    if found and found[0] in _NOT_AT_THE_START:
        value = re.split(r"[,#\]}]", found)[0].strip()
        return InvalidInput(f"a value cannot start with {found[0]} unless it is quoted", field=place, fix=f'write it as "{value}"')
    return InvalidInput(
        f"no YAML: {error.problem}",
        field=place,
        fix='correct the line, or the one above it; "quote" text that has commas, colons or brackets',
    )


class _Builder:
    """Turns YAML events into values without recursion, so that nesting cannot exhaust the stack."""

    def __init__(self, name: str) -> None:
        self.value: Any = None
        self.lines: dict[Path, int] = {}
        self._name = name
        self._documents = 0
        self._open: list[_Container] = []

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._refused("a second document starts", line, "remove `---`")
        elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise self._refused("anchors and aliases are not allowed", line, "write the value out")
        elif isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent):
            self._take_node(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()

    def _take_node(self, event: Any, line: int) -> None:
        if event.tag not in (None, "!"):
            raise self._refused("tags are not allowed", line, f"remove `{event.tag}`")
        if isinstance(event, yaml.ScalarEvent):
            is_key = bool(self._open) and self._open[-1].awaits_key
            self._put(event.value if is_key or event.style else plain_scalar(event.value), line, is_text=True)
            return
        made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._put(made, line, is_text=False)
        if len(self._open) >= DEPTH_MAX:
            raise self._refused("too deeply nested", line, f"at most {DEPTH_MAX} levels")
        self._open.append(_Container(made, path))

    def _put(self, value: Any, line: int, *, is_text: bool) -> Path:
        if not self._open:
            self.value, self.lines[()] = value, line
            return ()
        container = self._open[-1]
        if container.awaits_key:
            if not is_text:
                raise self._refused("a key must be text", line, "write `key: value`")
            if value in container.value:
                raise self._refused(f"the key `{value}` stands twice", line, "keep one of them")
            container.key = value
            self.lines[(*container.path, value)] = line
            container.value[value] = None
            return ()
        path = container.add(value)
        self.lines.setdefault(path, line)
        return path

    def _refused(self, message: str, line: int, fix: str) -> InvalidInput:
        return InvalidInput(message, field=f"{self._name}, line {line}", fix=fix)


@dataclass
class _Container:
    """A dict or list that is still being read; `key` is the key whose value comes next."""

    value: Any
    path: Path
    key: str | None = None

    @property
    def awaits_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None

    def add(self, value: Any) -> Path:
        if isinstance(self.value, list):
            self.value.append(value)
            return (*self.path, len(self.value) - 1)
        key, self.key = self.key, None
        self.value[key] = value
        return (*self.path, str(key))


_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False, "": None, "~": None, "null": None}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,30}\.[0-9]{0,30}|\.[0-9]{1,30}|[0-9]{1,30}(?=[eE]))(?:[eE][-+]?[0-9]{1,2})?")


def plain_scalar(text: str) -> Any:
    """What an unquoted scalar means: a boolean, nothing, a number, else text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
