from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected
from endcap.core.parquet_file import parquet_checked, read_parquet_checked
from tests.properties import examples

WRITTEN = pl.DataFrame(
    {
        "item_id": [f"i{number % 7}" for number in range(300)],
        "updated_at": [datetime(2026, 11, 27, tzinfo=UTC)] * 300,
        "price": [number / 3 if number % 5 else None for number in range(300)],
    }
)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("parquet") / "file.parquet"
    WRITTEN.write_parquet(path)
    return path.read_bytes()


def test_a_sound_file_reads_as_it_was_written(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.parquet").write_bytes(content)
    assert read_parquet_checked(tmp_path / "file.parquet", fix="").equals(WRITTEN)
    assert read_parquet_checked(tmp_path / "file.parquet", fix="", columns=["price"]).columns == ["price"]
    assert parquet_checked(content, name="it", fix="").equals(WRITTEN)


def test_a_missing_column_and_a_missing_file_are_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.parquet").write_bytes(content)
    with pytest.raises(DataRejected, match=r"file\.parquet: has no column colour; write it again"):
        read_parquet_checked(tmp_path / "file.parquet", fix="write it again", columns=["price", "colour"])
    with pytest.raises(FileNotFoundError):
        read_parquet_checked(tmp_path / "none.parquet", fix="")
    with pytest.raises(DataRejected, match="cannot be read"):
        read_parquet_checked(tmp_path, fix="")


@pytest.mark.parametrize("broken", [b"", b"PAR1", b"PAR1PAR1", b"item_id,price\na,1\n", b"PAR1\xff\xff\xff\x7fPAR1"])
def test_what_is_no_parquet_is_refused(broken: bytes) -> None:
    with pytest.raises(DataRejected, match="it: not a readable Parquet file"):
        parquet_checked(broken, name="it", fix="")


def test_column_names_that_are_no_text_are_refused(content: bytes) -> None:
    damaged = content.replace(b"price", b"\x80rice")
    with pytest.raises(DataRejected, match="it: not a readable Parquet file"):
        parquet_checked(damaged, name="it", fix="")


@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 2**32), st.integers(0, 255)), max_size=6))
@examples(300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_read_or_refused_and_nothing_else(content: bytes, cut: int, damage: list[tuple[int, int]]) -> None:
    damaged = bytearray(content[: len(content) - cut % len(content)] if cut % 3 == 0 else content)
    for place, value in damage:
        damaged[place % len(damaged)] = value
    try:
        parquet_checked(bytes(damaged), name="it", fix="")
    except DataRejected as error:
        assert "not a readable Parquet file" in str(error)
