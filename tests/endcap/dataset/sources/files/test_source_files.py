from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from endcap.core.errors import InvalidInput
from endcap.dataset.sources.files.source_files import SourceFiles, find_files


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("*.tsv", "matches no file"),
        ("../*.csv", "out of the imported folder"),
        ("/etc/*", "out of the imported folder"),
        ("book.xlsx", "is a workbook, which cannot be imported; got 'book.xlsx'; save each of its sheets"),
        ("*", "is a workbook"),
    ],
)
def test_patterns_stay_in_the_folder_and_find_something_that_can_be_read(tmp_path: Path, pattern: str, message: str) -> None:
    (tmp_path / "book.xlsx").write_bytes(b"PK")
    with pytest.raises(InvalidInput, match=message):
        find_files(tmp_path, "tables.events", [pattern])


def test_files_are_sorted_and_counted_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("a\n")
    assert [file.name for file in find_files(tmp_path, "tables.events", ["*.csv", "b.csv"])] == ["a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "martian"}, "is no text encoding"),
        ({"delimiter": '"'}, "quote nor a line break"),
        ({"delimiter": "'", "quote": "'"}, "must be different signs"),
        ({"escape": ","}, "must be different signs"),
        ({"quote": "double"}, "write one sign"),
        ({"header": ["a", "a"]}, "a stands twice"),
        ({"files": []}, "files"),
    ],
)
def test_forms_that_no_file_can_have_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SourceFiles.model_validate({"files": "a.csv", **options})
