"""Lines of sequences as they are found: any encoding, line ending and separator, with empty and repeated lines."""

import codecs
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from endcap.core.errors import DataRejected, InvalidInput


class Separator(StrEnum):
    """Between the fields of a line."""

    AUTO = "auto"
    BLANK = "blank"
    TAB = "tab"
    COMMA = "comma"
    SEMICOLON = "semicolon"


_SIGNS = {Separator.TAB: "\t", Separator.SEMICOLON: ";", Separator.COMMA: ","}
"""In the order in which they are looked for: what is rarer in ids first."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NUMBERS_SHOWN = 5

Split = Callable[[str], list[str]]


@dataclass(frozen=True)
class UserLines:
    """Each user's items, oldest first; users in the order of their first line.

    Attributes:
        items: user id -> item ids.
        copies: items of lines that repeat an earlier line of the same user word for word, which count once.
    """

    items: dict[str, list[str]]
    copies: int


def read_user_lines(
    file: Path, encoding: str | None = None, separator: Separator = Separator.AUTO, option: str = "--interactions"
) -> UserLines:
    """Read a file with a user a line: the user's id, then item ids, oldest first. A user's next line goes on where the one before ended.

    Args:
        file: text.
        encoding: of the file; what its byte-order mark says, else UTF-8, when None.
        separator: between ids; AUTO takes the tab, semicolon or comma that stands in every line, else blanks.
        option: which names the file, for messages.

    Raises:
        InvalidInput: the encoding is unknown, or the file is not text in it.
        DataRejected: there are no lines, or a line has a user and no items.
    """
    lines = re.split("\r\n|\n|\r", read_text(file, option, encoding))
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip(" \t;,")]
    if not numbered:
        raise DataRejected("there are no lines", field=str(file), fix="write a user a line: the user's id, then item ids in order")
    split = _splitting([line for _, line in numbered], separator)
    fields = [(number, split(line)) for number, line in numbered]
    short = [number for number, words in fields if len(words) < 2]
    if short:
        raise DataRejected(
            "a line has a user and no items",
            field=str(file),
            value=short[:_NUMBERS_SHOWN],
            fix="write a user a line: the user's id, then item ids in order; name what is between them with --separator",
        )
    return _by_user([words for _, words in fields])


def read_text(file: Path, option: str, encoding: str | None = None) -> str:
    """A text file without its byte-order mark.

    Raises:
        InvalidInput: the encoding is unknown, or the file cannot be read as text in it; the message names `option`.
    """
    try:
        content = file.read_bytes()
        marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
        text = content.decode(encoding or marked or "utf-8").removeprefix("\ufeff")
    except LookupError as error:
        raise InvalidInput("is no encoding", field="--encoding", value=encoding, fix="name one such as utf-8, latin-1 or cp1252") from error
    except OSError as error:
        raise InvalidInput(f"the file cannot be read ({error.strerror})", field=option, value=str(file)) from error
    except UnicodeError as error:
        raise _not_text(file, option, f"in {encoding or marked or 'utf-8'}", "latin-1") from error
    if "\0" in text:
        raise _not_text(file, option, f"in {encoding or marked or 'utf-8'}: it has null characters", "utf-16")
    return text


def _not_text(file: Path, option: str, encoding: str, example: str) -> InvalidInput:
    fix = f"name its --encoding, for example {example}"
    return InvalidInput(f"the file is not text {encoding}", field=option, value=str(file), fix=fix)


def _splitting(lines: Sequence[str], separator: Separator) -> Split:
    if separator is Separator.BLANK:
        return _at_blanks
    if separator is not Separator.AUTO:
        return _at(_SIGNS[separator])
    telling = [line for line in lines if re.search(r"[\s;,]", line.strip())]
    for sign in _SIGNS.values():
        # Blanks before the first sign of every line stand between ids, which hold the sign.
        if telling and all(sign in line for line in telling) and not all(_has_blank(line.split(sign)[0]) for line in telling):
            return _with_lists(telling, _at(sign))
    return _at_blanks


def _with_lists(lines: Sequence[str], split: Split) -> Split:
    """As `split`; where every line is a user and one field, and fields have signs of their own, these stand between items."""
    fields = [split(line) for line in lines]
    if not all(len(words) == 2 for words in fields):
        return split
    inner: Split | None = next((_at(sign) for sign in (";", ",") if any(sign in words[1] for words in fields)), None)
    if inner is None and any(_has_blank(words[1]) for words in fields):
        inner = _at_blanks
    if inner is None:
        return split
    split_list: Split = inner

    def user_and_list(line: str) -> list[str]:
        user, *listed = split(line)
        return [user, *(word for part in listed for word in split_list(part))]

    return user_and_list


def _has_blank(text: str) -> bool:
    return bool(re.search(r"\s", text.strip()))


def _at(sign: str) -> Split:
    return lambda line: [word.strip() for word in line.split(sign) if word.strip()]


def _at_blanks(line: str) -> list[str]:
    return line.split()


def _by_user(lines: Sequence[Sequence[str]]) -> UserLines:
    items: dict[str, list[str]] = {}
    known: set[tuple[str, ...]] = set()
    copies = 0
    for words in lines:
        if tuple(words) in known:
            copies += len(words) - 1
            continue
        known.add(tuple(words))
        items.setdefault(words[0], []).extend(words[1:])
    return UserLines(items, copies)
