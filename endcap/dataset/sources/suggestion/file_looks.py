"""What a file looks like: its encoding, delimiter and header, and a sample of its rows."""

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import polars as pl

from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.sources.files.file_reading import open_text, raw_batches
from endcap.dataset.sources.files.source_files import PACKED_ENDINGS, WORKBOOKS, SourceFile, SourceFiles, find_files
from endcap.dataset.sources.suggestion.column_guesses import guess_time

SAMPLE_ROWS = 2000
_LINES, _MANY_LINES = 200, 20_000
_DELIMITERS = ("::", ";", "\t", "|", ",")
_READ = (".csv", ".tsv", ".txt", ".dat", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".zip")
_JSON = (".jsonl", ".ndjson", ".json")
_ASCII_MIN = 0.5
"""Share of plain letters in a first line of two bytes a sign; the wrong order of the bytes gives hardly any."""
_TYPED = (*_JSON, ".parquet", ".pq")
_NUMBER = r"^[+-]?[\d., ']*\d[\d., ']*$"


@dataclass(frozen=True)
class FileLook:
    """One file as it seems to be written.

    Attributes:
        form: options of the mapping that read it, those that differ from the defaults.
        reasons: why, by option.
        sample: its first rows.
    """

    file: SourceFile
    form: dict[str, Any]
    reasons: dict[str, str]
    sample: pl.DataFrame


def look_at_files(folder: Path) -> tuple[list[FileLook], dict[str, str]]:
    """Every file of a folder and the folders in it that may be imported.

    Returns: the files, and why others were passed over, by name.
    """
    looks, passed_over = [], {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        ending = Path(path.stem).suffix if path.suffix in PACKED_ENDINGS else path.suffix
        if not path.is_file() or any(part.startswith(".") for part in Path(name).parts) or path.suffix in (".yaml", ".yml", ".md"):
            continue
        if ending.lower() not in (*_READ, *WORKBOOKS):
            passed_over[name] = f"{ending or 'a file without an ending'} is no kind of file that can be imported"
            continue
        try:
            # A name with the signs of patterns in it still is one file.
            looks += [look_at(file) for file in find_files(folder, "suggest", [escape(name)])]
        except (DataRejected, InvalidInput) as error:
            passed_over[name] = "; ".join(part for part in (error.message, error.fix) if part)
    return looks, passed_over


def look_at(file: SourceFile) -> FileLook:
    """One file.

    Raises:
        DataRejected: it is empty or not readable.
    """
    form: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    if file.ending not in _TYPED:
        form["encoding"], reasons["encoding"] = _encoding(file)
        lines = _first_lines(file, form["encoding"])
        form["delimiter"], reasons["delimiter"] = _delimiter(lines)
        if any('\\"' in line for line in _first_lines(file, form["encoding"], _MANY_LINES)):
            form["escape"], reasons["escape"] = "\\", "quotes stand behind it within quotes"
        header = _made_up_header(lines, form)
        if header:
            form["header"], reasons["header"] = header, "the first line looks like a row; give the columns names that say more"
        if _loses_lines(file, form):
            form["quote"], reasons["quote"] = "none", 'with " as the quote, lines would be lost'
    first = _sample(file, form)
    inside = _rows_inside(file, first) if file.ending in _JSON else None
    if inside is not None:
        form["rows_in"], reasons["rows_in"] = inside, "the entries of the list have times, and the objects have none"
        first = _sample(file, form)
    if first.is_empty():
        raise DataRejected("the file has no rows", field=file.name)
    defaults = {name: field.default for name, field in SourceFiles.model_fields.items()}
    kept = {name: value for name, value in form.items() if value != defaults[name]}
    return FileLook(file, kept, {name: reason for name, reason in reasons.items() if name in kept}, first)


def _sample(file: SourceFile, form: dict[str, Any]) -> pl.DataFrame:
    return next(raw_batches(file, SourceFiles(files=[file.name], **form), [], SAMPLE_ROWS)).frame


def _rows_inside(file: SourceFile, objects: pl.DataFrame) -> str | None:
    """The list in each object whose entries are the rows, where the objects themselves have no times."""
    if any(guess_time(objects[column]) for column in objects.columns if isinstance(objects[column].dtype, pl.String)):
        return None
    for column in objects.columns:
        if not isinstance(objects[column].dtype, pl.List):
            continue
        with suppress(DataRejected):
            entries = _sample(file, {"rows_in": column})
            if any(guess_time(entries[name]) for name in entries.columns if isinstance(entries[name].dtype, pl.String)):
                return column
    return None


def _encoding(file: SourceFile) -> tuple[str, str]:
    for encoding in ("utf-8", "cp1252", "latin-1", "utf-16-le", "utf-16-be"):
        try:
            lines = _first_lines(file, encoding, _MANY_LINES)
        except UnicodeError:
            continue
        if any("\0" in line for line in lines):
            break
        if encoding.startswith("utf-16") and sum(sign.isascii() for sign in lines[0]) < _ASCII_MIN * len(lines[0]):
            continue
        return encoding, f"the start of the file is no utf-8 text, and {encoding} reads it"
    raise DataRejected("the file is no text", field=file.name)


def _first_lines(file: SourceFile, encoding: str, lines: int = _LINES) -> list[str]:
    try:
        with open_text(file, encoding) as stream:
            return [line for line in itertools.islice(stream, lines) if line.strip()]
    except (OSError, EOFError, RuntimeError) as error:
        raise DataRejected(f"the file is not readable ({error})", field=file.name) from error


def _delimiter(lines: Sequence[str]) -> tuple[str, str]:
    """The delimiter that gives most lines the same number of columns, and more of them in doubt."""
    scores = []
    for place, delimiter in enumerate(_DELIMITERS):
        counts = Counter(len(row) for row in _rows(lines, delimiter))
        columns, times = counts.most_common(1)[0] if counts else (1, 0)
        scores.append((columns > 1, times / max(1, sum(counts.values())), columns, -place, delimiter))
    _, share, columns, _, best = max(scores)
    return best, f"it gives {share:.0%} of the first lines {columns} columns"


def _rows(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    if len(delimiter) > 1:
        return (line.rstrip("\r\n").split(delimiter) for line in lines)
    return (next(csv.reader([line], delimiter=delimiter)) for line in lines)


def _loses_lines(file: SourceFile, form: dict[str, Any]) -> bool:
    described = SourceFiles(files=[file.name], **form)
    return any("a quote" in row.reason for row in next(raw_batches(file, described, [], SAMPLE_ROWS)).unreadable)


def _made_up_header(lines: Sequence[str], form: dict[str, Any]) -> list[str]:
    """Names for the columns where the first line is a row already, else none."""
    first = next(_rows(lines[:1], form["delimiter"]), [])
    named = [cell.strip() for cell in first]
    if not named:
        return []
    looks_like_names = len(set(named)) == len(named) and all(named) and not any(pl.Series(named).str.contains(_NUMBER).to_list())
    dated = pl.Series(named, dtype=pl.String).str.contains(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}").any()
    return [] if looks_like_names and not dated else [f"column_{number}" for number in range(1, len(named) + 1)]
