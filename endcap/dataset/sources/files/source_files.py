"""Which files a part of the mapping reads, and how their text is written."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any
from zipfile import BadZipFile, ZipFile

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from endcap.core.errors import DataRejected, InvalidInput


def text_of(value: Any) -> Any:
    """A scalar of the mapping where a text is meant: `790` and `true` are names like any other."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


def _one_or_more(value: Any) -> Any:
    return [text_of(part) for part in value] if isinstance(value, list) else [text_of(value)]


Name = Annotated[str, BeforeValidator(text_of), Field(min_length=1)]
"""Name of a source column."""

Names = Annotated[list[Name], BeforeValidator(_one_or_more)]
"""One name, or several."""


class SourceFiles(BaseModel):
    """Files of one shape."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: Names = Field(
        min_length=1,
        description="File names or patterns such as orders/*.csv, seen from the imported folder; export.zip/orders*.csv names members.",
    )
    delimiter: str = Field(
        ",", min_length=1, max_length=8, description="Between the columns of a text file: one sign, or several such as ::."
    )
    quote: str = Field('"', description="The sign around texts with delimiters or line breaks in them, or none.")
    escape: str | None = Field(None, min_length=1, max_length=1, description="The sign that takes the meaning from the one after it.")
    header: list[Name] | None = Field(None, min_length=1, description="Names of the columns, for text files whose first line has none.")
    rows_in: Name | None = Field(
        None,
        description="For JSON lines: the list in each object whose entries are the rows; what stands beside it belongs to each of them.",
    )
    encoding: str = Field("utf-8", description="Of text files, for example cp1252; a byte-order mark goes before it.")

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, sign: str) -> str:
        sign = sign.replace("\\t", "\t")
        if '"' in sign or "\n" in sign or "\r" in sign:
            raise ValueError("neither a quote nor a line break can stand between columns")
        return sign

    @field_validator("quote")
    @classmethod
    def _one_sign(cls, sign: str) -> str:
        if sign != "none" and len(sign) != 1:
            raise ValueError('write one sign, such as "\'", or none')
        return sign

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            "".encode(name)
        except LookupError:
            raise ValueError("is no text encoding; the usual ones are utf-8, cp1252, latin-1 and utf-16") from None
        return codecs.lookup(name).name

    @field_validator("header")
    @classmethod
    def _each_once(cls, names: list[str] | None) -> list[str] | None:
        twice = sorted({name for name in names or () if (names or []).count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice; give every column its own name")
        return names

    @model_validator(mode="after")
    def _signs_differ(self) -> "SourceFiles":
        if self.quote == self.delimiter or self.escape in (self.delimiter, self.quote):
            raise ValueError("delimiter, quote and escape must be different signs")
        return self


@dataclass(frozen=True)
class SourceFile:
    """A file, or a member of a zip archive.

    Attributes:
        path: where it lies.
        name: how messages and `rejected.parquet` call it: its path seen from the folder, an archive's with the member's.
        member: the archive's member; None for a file of its own.
    """

    path: Path
    name: str
    member: str | None = None

    @property
    def ending(self) -> str:
        """What the name ends in, without what packs it, in lower case: `.csv` of `a.CSV.gz`."""
        name = Path(self.name.lower())
        return Path(name.stem).suffix if name.suffix in PACKED_ENDINGS else name.suffix


PACKED_ENDINGS = (".gz", ".bz2", ".zst", ".lz4")
WORKBOOKS = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")


def find_files(folder: Path, place: str, patterns: list[str]) -> list[SourceFile]:
    """The files of one part of the mapping, sorted by name in the order of the patterns.

    Args:
        place: how messages call that part, for example `tables.events`.

    Raises:
        InvalidInput: a pattern matches no file, points out of the folder, or matches a workbook.
        DataRejected: an archive is damaged.
    """
    found: dict[str, SourceFile] = {}
    for pattern in patterns:
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise InvalidInput("points out of the imported folder", field=f"{place}.files", value=pattern)
        matches = list(_matches(folder, pattern))
        if not matches:
            raise InvalidInput("matches no file", field=f"{place}.files", value=pattern, fix=f"files are looked for in {folder}")
        for file in matches:
            if file.ending in WORKBOOKS:
                raise InvalidInput(
                    "is a workbook, which cannot be imported",
                    field=f"{place}.files",
                    value=file.name,
                    fix="save each of its sheets as a file of the kind CSV UTF-8 and name those",
                )
            found.setdefault(file.name, file)
    return list(found.values())


def _matches(folder: Path, pattern: str) -> Iterator[SourceFile]:
    archive, inside, member = pattern.partition(".zip/")
    for path in sorted(folder.glob(archive + ".zip" if inside else pattern)):
        if not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() == ".zip":
            yield from _members(path, name, member or "*")
        else:
            yield SourceFile(path, name)


def _members(path: Path, name: str, pattern: str) -> Iterator[SourceFile]:
    try:
        with ZipFile(path) as archive:
            members = sorted(entry.filename for entry in archive.infolist() if not entry.is_dir())
    except (BadZipFile, OSError) as error:
        raise DataRejected(f"the archive is not readable ({error})", field=name, fix="pack it again") from error
    for member in members:
        # Archives made on a Mac hold a shadow of each file.
        shadow = member.startswith("__MACOSX/") or Path(member).name.startswith(".")
        if not shadow and fnmatchcase(member, pattern):
            yield SourceFile(path, f"{name}/{member}", member)
