"""Sequences as shops and researchers really write them."""

import codecs
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from endcap.cli.importing import app
from endcap.core.errors import DataRejected, EndcapError, InvalidInput
from endcap.dataset.layout import open_dataset
from endcap.dataset.sources.sequence_lines import Separator, read_user_lines
from endcap.dataset.sources.sequences import SequenceFiles, SequenceReading, import_sequences
from tests.properties import examples


def read(folder: Path, content: str | bytes, encoding: str | None = None, separator: Separator = Separator.AUTO) -> dict[str, list[str]]:
    file = folder / "lines.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_user_lines(file, encoding, separator).items


@pytest.mark.parametrize(
    "content",
    [
        "u1 a b\nu2 c\n",
        "u1 a b\r\nu2 c\r\n",
        "u1 a b\ru2 c",
        "\n\nu1 a b\n  \n\nu2 c\n\n",
        "u1\ta\tb\nu2\tc",
        "u1,a,b\nu2,c",
        "u1;a;b\nu2;c",
    ],
)
def test_line_endings_empty_lines_and_separators_are_seen(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == {"u1": ["a", "b"], "u2": ["c"]}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("ann\tgreen tea\tmug\nbob\tmug\tgreen tea\n", {"ann": ["green tea", "mug"], "bob": ["mug", "green tea"]}),
        ("ann,green tea, mug\nbob,mug\n", {"ann": ["green tea", "mug"], "bob": ["mug"]}),
        ("ann;1,5 l milk;mug\nbob;mug\n", {"ann": ["1,5 l milk", "mug"], "bob": ["mug"]}),
        ("ann\ta;b\tc,d\nbob\te\n", {"ann": ["a;b", "c,d"], "bob": ["e"]}),
        ("ann a,b c,d\nbob e,f g,h\n", {"ann": ["a,b", "c,d"], "bob": ["e,f", "g,h"]}),
        ("ann\ta b c\nbob\ta\n", {"ann": ["a", "b", "c"], "bob": ["a"]}),
        ("ann\ta,b,c\nbob\ta\n", {"ann": ["a", "b", "c"], "bob": ["a"]}),
        ("ann,a,,b,\nbob,c,\n", {"ann": ["a", "b"], "bob": ["c"]}),
        ("ann a\n", {"ann": ["a"]}),
    ],
)
def test_ids_keep_blanks_and_signs_that_do_not_separate(tmp_path: Path, content: str, found: dict[str, list[str]]) -> None:
    assert read(tmp_path, content) == found


def test_a_separator_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    content = "ann smith,a b\nbob jones,c d\n"
    assert read(tmp_path, content, separator=Separator.COMMA) == {"ann smith": ["a b"], "bob jones": ["c d"]}
    assert read(tmp_path, content, separator=Separator.BLANK) == {"ann": ["smith,a", "b"], "bob": ["jones,c", "d"]}


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (codecs.BOM_UTF8 + "ü1 käse".encode(), None),
        ("ü1 käse".encode("utf-16"), None),
        ("ü1 käse".encode("utf-32"), None),
        ("ü1 käse".encode("latin-1"), "latin-1"),
        (codecs.BOM_UTF8 + "ü1 käse".encode(), "utf-8"),
        ("ü1 käse".encode("utf-16-le"), "utf-16-le"),
    ],
)
def test_encodings_are_seen_or_named(tmp_path: Path, content: bytes, encoding: str | None) -> None:
    assert read(tmp_path, content, encoding) == {"ü1": ["käse"]}


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ("ü1 käse".encode("latin-1"), None, "not text in utf-8.*name its --encoding"),
        (b"\xff\xfe\x00", None, "not text in utf-16"),
        ("u1 a".encode("utf-16-le"), None, "not text in utf-8: it has null characters"),
        (b"u1 a", "klingon", "--encoding: is no encoding"),
        (b"", None, "there are no lines"),
        (b"\n \n\t\n", None, "there are no lines"),
        (b"u1 a\nu2\nu3 b\n", None, r"a user and no items.*got \[2\]"),
        (b"u1,a\nu2,\nu3\n", None, r"a user and no items.*got \[2, 3\]"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, encoding: str | None, message: str) -> None:
    with pytest.raises((InvalidInput, DataRejected), match=message) as raised:
        read(tmp_path, content, encoding)
    assert "\n" not in str(raised.value)


def test_a_user_goes_on_in_a_second_line_and_a_repeated_line_counts_once(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("ann a b\nbob c\nann c\nann a b\nbob c\n")
    dataset = import_sequences(SequenceFiles(tmp_path / "lines.txt"), tmp_path / "out", 0.0)[0]
    assert open_dataset(dataset.path) == dataset
    assert (dataset.rows, dataset.copies, sum(dataset.rejected.values())) == ({"items": 3, "users": 2, "events": 4}, {"events": 3}, 0)
    events = pl.read_parquet(dataset.table("events")).sort("user_id", "occurred_at")
    assert events["item_id"].to_list() == ["a", "b", "c", "c"]


def test_one_user_with_one_item_is_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("ann tea")
    assert import_sequences(SequenceFiles(tmp_path / "lines.txt"), tmp_path / "out", 0.0)[0].rows == {"items": 1, "users": 1, "events": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a JSON object of lists"),
        ("", "not a JSON object of lists"),
        ("null", "it is a NoneType"),
        ('{"a": "red"}', "'a' has no list"),
        ('{"a": 5}', "'a' has no list"),
        ("[" * 100_000, "not a JSON object of lists"),
    ],
)
def test_attributes_that_are_something_else_are_one_sentence(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "lines.txt").write_text("u a\n")
    (tmp_path / "attributes.json").write_text(content)
    with pytest.raises(InvalidInput, match=message) as raised:
        import_sequences(SequenceFiles(tmp_path / "lines.txt", tmp_path / "attributes.json"), tmp_path / "out", 0.0)
    assert "\n" not in str(raised.value)


def test_attributes_with_a_mark_and_another_encoding_are_read(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes("u käse\n".encode("latin-1"))
    (tmp_path / "attributes.json").write_bytes('{"käse": ["gelb"]}'.encode("latin-1"))
    reading = SequenceReading(encoding="latin-1")
    dataset = import_sequences(SequenceFiles(tmp_path / "lines.txt", tmp_path / "attributes.json"), tmp_path / "out", 0.0, reading=reading)[
        0
    ]
    assert json.loads(pl.read_parquet(dataset.table("items"))["attributes"][0]) == {"gelb": "yes"}


def test_the_command_takes_encoding_and_separator(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes("jörg meier;a b\n".encode("latin-1"))
    arguments = ["sequences", "--interactions", str(tmp_path / "lines.txt"), "--out", str(tmp_path / "out"), "--json"]
    result = CliRunner().invoke(app, [*arguments, "--encoding", "latin-1", "--separator", "semicolon"])
    assert json.loads(result.stdout)["rows"]["events"] == 1
    assert pl.read_parquet(tmp_path / "out" / "events.parquet")["user_id"].to_list() == ["jörg meier"]


@examples(60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=60) | st.text(alphabet="ab ,;\t\n\r\ufeff\u2028'\"", max_size=60).map(str.encode))
def test_any_bytes_are_sequences_or_one_sentence(tmp_path: Path, content: bytes) -> None:
    try:
        found = read(tmp_path, content)
    except EndcapError as error:
        assert "\n" not in str(error)
    else:
        assert found
        assert all(user and items and all(items) for user, items in found.items())
