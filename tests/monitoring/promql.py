"""Reads which metrics, matchers and grouping labels a PromQL expression uses; refuses what it does not know."""

import re
from dataclasses import dataclass, field

FUNCTIONS = frozenset(
    [
        "abs",
        "absent",
        "avg",
        "changes",
        "count",
        "histogram_quantile",
        "increase",
        "log2",
        "max",
        "max_over_time",
        "min",
        "rate",
        "scalar",
        "sum",
        "time",
        "topk",
        "vector",
    ]
)
GROUPING = frozenset(["by", "without", "on", "ignoring", "group_left", "group_right"])
WORDS = frozenset(["and", "or", "unless", "offset", "bool"])
TOKEN = re.compile(
    r"""\s*(?:(?P<string>"[^"]*")|(?P<duration>\d+(?:ms|[smhdwy]))|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)|(?P<name>[a-zA-Z_:][\w:]*)
    |(?P<operator>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){}\[\],]))""",
    re.VERBOSE,
)


@dataclass
class Used:
    """What an expression uses.

    Attributes:
        metrics: matchers by metric: (label, operator, value).
        grouping: labels in by, on and their like.
    """

    metrics: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    grouping: set[str] = field(default_factory=set)


def tokens(expression: str) -> list[tuple[str, str]]:
    found, place, text = [], 0, expression.strip()
    while place < len(text):
        token = TOKEN.match(text, place)
        assert token is not None, f"not PromQL: {text[place : place + 20]!r} in {text!r}"
        found.append((token.lastgroup or "", token[token.lastgroup or 0]))
        place = token.end()
    return found


def used(expression: str) -> Used:
    """Read one expression."""
    reading, result = tokens(expression), Used()
    _balanced([text for _, text in reading])
    place = 0
    while place < len(reading):
        kind, text = reading[place]
        after = reading[place + 1][1] if place + 1 < len(reading) else ""
        place += 1
        if kind != "name" or text in WORDS:
            continue
        if text in GROUPING:
            end = _closing(reading, place, ")")
            result.grouping |= {name for each, name in reading[place + 1 : end] if each == "name"}
            place = end + 1
        elif after == "(" or (after in GROUPING and text in FUNCTIONS):
            assert text in FUNCTIONS, f"unknown function {text} in {expression!r}"
        else:
            end = _closing(reading, place, "}") if after == "{" else place
            result.metrics.setdefault(text, []).extend(_matchers(reading[place + 1 : end]))
            place = end + 1 if after == "{" else place
    return result


def _matchers(inside: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    texts = [text for _, text in inside if text != ","]
    assert len(texts) % 3 == 0, texts
    return [(texts[place], texts[place + 1], texts[place + 2].strip('"')) for place in range(0, len(texts), 3)]


def _closing(reading: list[tuple[str, str]], place: int, bracket: str) -> int:
    return next(number for number in range(place, len(reading)) if reading[number][1] == bracket)


def _balanced(texts: list[str]) -> None:
    opened, pairs = [], {")": "(", "]": "[", "}": "{"}
    for text in texts:
        if text in pairs.values():
            opened.append(text)
        elif text in pairs:
            assert opened and opened.pop() == pairs[text], "brackets do not match"
    assert not opened, "brackets do not match"
