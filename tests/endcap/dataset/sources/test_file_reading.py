from pathlib import Path

import pytest

from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.sources.folder import find_files, raw_batches
from endcap.dataset.sources.mapping import TableMapping

MAPPED = TableMapping(files=["*.csv"])


def read(file: Path, mapped: TableMapping = MAPPED, **limits: int):
    return list(raw_batches(file, mapped, 10, **limits))


def numbers(file: Path, **limits: int) -> list[int]:
    return [number for batch in read(file, **limits) for number in batch.row_numbers.to_pylist()]


def test_row_numbers_count_rows_that_could_not_be_read_over_all_blocks(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    bad = {3, 50, 51, 300}
    file.write_text("a,b\n" + "".join(f"{number}\n" if number in bad else f"{number},x\n" for number in range(1, 301)))
    batches = read(file, block_bytes=256)
    assert len(batches) > 3
    assert numbers(file, block_bytes=256) == [number for number in range(1, 301) if number not in bad]
    assert [int(value) for batch in batches for value in batch.frame["a"]] == numbers(file, block_bytes=256)
    assert [row.row_number for batch in batches for row in batch.unreadable] == sorted(bad)


def test_line_breaks_in_quotes_are_one_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('a,b\n"x\ny",1\nz,2\n')
    assert read(file)[0].frame["a"].to_list() == ["x\ny", "z"]
    assert numbers(file) == [1, 2]


def test_null_texts_are_nulls_and_all_else_is_text(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('a,b\n007,NA\n"",1.0\n')
    batch = read(file, TableMapping(files=["a.csv"], null_values=["", "NA"]))[0]
    assert batch.frame.rows() == [("007", None), (None, "1.0")]


def test_compressed_files_are_read(tmp_path: Path) -> None:
    import gzip

    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read(file)[0].frame.rows() == [("1", "2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "not readable .*Empty CSV"), (b"a,a\n1,2\n", "a more than once"), (b"a,b\n\xff\xfe,2\n", "encoding: latin-1")],
)
def test_a_file_that_is_no_table_is_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(DataRejected, match=message):
        read(file)


def test_an_unknown_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(DataRejected, match="martian"):
        read(file, TableMapping(files=["a.csv"], encoding="martian"))


@pytest.mark.parametrize(("pattern", "message"), [("*.tsv", "matches no file"), ("../*.csv", "out of the imported folder")])
def test_patterns_stay_in_the_folder_and_find_something(tmp_path: Path, pattern: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        find_files(tmp_path, "events", TableMapping(files=[pattern]))


def test_files_are_sorted_and_counted_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        (tmp_path / name).write_text("a\n")
    assert [file.name for file in find_files(tmp_path, "events", TableMapping(files=["*.csv", "b.csv"]))] == ["a.csv", "b.csv"]
