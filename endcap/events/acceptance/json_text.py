"""JSON read strictly: no key twice, no NaN, no depth or number that a reader would stumble over."""

import json
from collections.abc import Iterator
from typing import Any, Never


class BrokenJson(ValueError):
    """The text is no JSON as it is taken here; the message says why and holds nothing of the text."""


def read_json(text: str) -> Any:
    """Read one value.

    Raises:
        BrokenJson: the text is no JSON value, or one in which a key stands twice.
    """
    value, end = _read(text, 0)
    if text[end:].strip(_BLANKS):
        raise BrokenJson(f"more than one JSON value; the first ends at character {end}")
    return value


def split_list(text: str) -> Iterator[str]:
    """The texts of a JSON list's entries, each as it was written.

    Raises:
        BrokenJson: while they are read: the text is no JSON list.
    """
    start = _after_blanks(text, 0)
    if text[start : start + 1] != "[":
        raise BrokenJson("no JSON list")
    end = _after_blanks(text, start + 1)
    if text[end : end + 1] != "]":
        end = start
        while end == start or text[end : end + 1] == ",":
            begin = _after_blanks(text, end + 1)
            _, stop = _read(text, begin, _TOLERANT)
            yield text[begin:stop]
            end = _after_blanks(text, stop)
    if text[end : end + 1] != "]":
        raise BrokenJson(f"no JSON list: neither a comma nor its end at character {end}")
    if text[end + 1 :].strip(_BLANKS):
        raise BrokenJson(f"something follows the list, at character {end + 1}")


def split_lines(text: str) -> Iterator[str]:
    """The lines of NDJSON that are not blank."""
    return (line for line in text.split("\n") if line.strip(_BLANKS))


def is_one_value(text: str) -> bool:
    """Whether the text is a single JSON value, spread over as many lines as it likes."""
    try:
        _, end = _read(text, _after_blanks(text, 0), _TOLERANT)
    except BrokenJson:
        return False
    return not text[end:].strip(_BLANKS)


_BLANKS = " \t\r\n"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise BrokenJson("a key stands twice")
    return read


def _refuse(constant: str) -> Never:
    raise BrokenJson(f"{constant} is no JSON number")


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)
_TOLERANT = json.JSONDecoder()
"""Finds where a value ends; what is wrong inside is found when that value is judged alone."""


def _read(text: str, start: int, decoder: json.JSONDecoder = _STRICT) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, _after_blanks(text, start))
    except BrokenJson:
        raise
    except json.JSONDecodeError as error:
        raise BrokenJson(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise BrokenJson("nested too deeply") from None
    except ValueError:
        raise BrokenJson("a number has too many digits") from None


def _after_blanks(text: str, start: int) -> int:
    while start < len(text) and text[start] in _BLANKS:
        start += 1
    return start
