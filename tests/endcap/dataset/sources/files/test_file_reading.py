import bz2
import gzip
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.dataset.sources.files.file_reading import raw_batches
from endcap.dataset.sources.files.raw_batch import RawBatch
from endcap.dataset.sources.files.source_files import SourceFiles, find_files


def read(folder: Path, pattern: str = "*", batch_rows: int = 10, **form: Any) -> list[RawBatch]:
    described = SourceFiles(files=[pattern], **form)
    wanted = ("a", "b")
    return [batch for file in find_files(folder, "tables.events", [pattern]) for batch in raw_batches(file, described, wanted, batch_rows)]


def rows(folder: Path, pattern: str = "*", **form: Any) -> list[tuple[Any, ...]]:
    return [row for batch in read(folder, pattern, **form) for row in batch.frame.rows()]


def numbers(folder: Path) -> list[int]:
    return [number for batch in read(folder) for number in batch.row_numbers.to_pylist()]


def test_row_numbers_count_rows_that_could_not_be_read_over_all_batches(tmp_path: Path) -> None:
    bad = {3, 50, 51, 300}
    lines = [f"{number}" if number in bad else f"{number},x" for number in range(1, 301)]
    (tmp_path / "a.csv").write_text("a,b\n" + "\n".join(lines) + "\n")
    batches = read(tmp_path)
    assert len(batches) > 3
    assert numbers(tmp_path) == [number for number in range(1, 301) if number not in bad]
    assert [int(value) for batch in batches for value in batch.frame["a"]] == numbers(tmp_path)
    assert [row.row_number for batch in batches for row in batch.unreadable] == sorted(bad)


@pytest.mark.parametrize("form", [{}, {"encoding": "cp1252"}, {"encoding": "utf-16"}])
def test_two_bytes_a_sign_without_a_mark_are_told_by_their_null_characters(tmp_path: Path, form: dict[str, Any]) -> None:
    (tmp_path / "a.csv").write_bytes("a,b\n1,2\n".encode("utf-16-le"))
    with pytest.raises(DataRejected, match=r"not readable as .* utf-16-le for UTF-16 without a byte-order mark"):
        read(tmp_path, **form)


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"a,b\n1,caf\xc3\xa9\n", {}),
        (b"\xef\xbb\xbfa,b\r\n1,caf\xc3\xa9\r\n", {}),
        (b"\xef\xbb\xbfa,b\n1,caf\xc3\xa9\n", {"encoding": "cp1252"}),
        (b"a,b\r1,caf\xe9\r", {"encoding": "latin-1"}),
        (b"\n\na;b\n\n1;caf\xe9\n   \n", {"encoding": "cp1252", "delimiter": ";"}),
        ("a,b\n1,caf\u00e9\n".encode("utf-16"), {}),
        ("a,b\n1,caf\u00e9\n".encode("utf-16-le"), {"encoding": "utf-16-le"}),
        ("1,caf\u00e9".encode(), {"header": ["a", "b"]}),
        ("1::caf\u00e9".encode(), {"header": ["a", "b"], "delimiter": "::"}),
        ("a\tb\n1\tcaf\u00e9".encode(), {"delimiter": "\\t"}),
        ("a, b \n'1','caf\u00e9'\n".encode(), {"quote": "'"}),
    ],
)
def test_text_is_read_in_any_encoding_with_any_line_ends_and_separators(tmp_path: Path, content: bytes, form: dict[str, Any]) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert rows(tmp_path, **form) == [("1", "caf\u00e9")]
    assert read(tmp_path, **form)[0].frame.columns == ["a", "b"]


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "A.CSV.GZ"])
def test_compressed_files_are_read(tmp_path: Path, name: str) -> None:
    packed = {"gz": gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"), "bz2": bz2.compress(b"a,b\n1,2\n3,4\n")}
    (tmp_path / name).write_bytes(packed[name.lower().rsplit(".")[-1]])
    assert rows(tmp_path) == [("1", "2"), ("3", "4")]


def test_members_of_an_archive_are_read_one_after_the_other(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("2026/b.csv", "b,a\n4,3\n")
        archive.writestr("2026/a.csv", "a,b\n1,2\n")
        archive.writestr("__MACOSX/2026/._a.csv", "\x00")
        archive.writestr("notes.txt", "read me")
    assert [batch.frame.to_dicts() for batch in read(tmp_path, "export.zip/*.csv")] == [[{"a": "1", "b": "2"}], [{"b": "4", "a": "3"}]]
    assert [file.name for file in find_files(tmp_path, "t", ["*.zip/2026/a*"])] == ["export.zip/2026/a.csv"]


def test_a_parquet_file_in_an_archive_is_read(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1], "b": ["x"]}).write_parquet(tmp_path / "a.parquet")
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.write(tmp_path / "a.parquet", "a.parquet")
    assert rows(tmp_path, "export.zip") == [(1, "x")]


def test_json_lines_give_a_column_a_key_and_keep_numbers_as_written(tmp_path: Path) -> None:
    lines = ['{"a": 17850, "b": {"x": 12.50, "y": ["p", 1]}}', "", '{"b": {"y": null}, "a": true}', "no json", '{"c": "extra", "a": "t"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    [batch] = read(tmp_path)
    assert batch.frame.to_dicts() == [
        {"a": "17850", "b.x": "12.50", "b.y": ["p", "1"], "c": None},
        {"a": "true", "b.x": None, "b.y": None, "c": None},
        {"a": "t", "b.x": None, "b.y": None, "c": "extra"},
    ]
    assert batch.row_numbers.to_pylist() == [1, 2, 4]
    assert [(row.row_number, row.reason) for row in batch.unreadable] == [(3, "is no JSON object")]


def test_a_key_that_later_json_lines_leave_out_is_empty_there(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"a": 1, "b": 2}\n' * 10 + '{"a": 3}\n')
    assert rows(tmp_path)[-1] == ("3", None)


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": 2}]', '[\n{"a": 1}\n]', '{\n"a": 1\n}'])
def test_a_json_document_of_many_lines_says_how_to_write_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataRejected, match="an object a line; write every object on a line of its own"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"\n\n", "the file is empty"),
        ("a.csv", b"a,a\n1,2\n", "a more than once"),
        ("a.csv", b'a,"b\n1,2\n', "the header cannot be read"),
        ("a.csv", b"a,b\n\xff\xfe,2\n", "not readable as utf-8 text; name .* encoding: latin-1"),
        ("a.csv.gz", b"a,b\n1,2\n", "not readable"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 1000, mtime=0)[:-20], "not readable"),
        ("a.zip", b"PK no archive", "archive is not readable"),
        ("a.parquet", b"PAR1 no table PAR1", "not readable"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataRejected, match=message):
        read(tmp_path)
