"""Files of a log as they are read for Kafka."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from endcap.events.log.writer import SyncedFile
from endcap_collector.spool.spool_files import Part, SpoolFiles
from tests.properties import examples

LINES = st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b".")), max_size=20)


def none() -> SyncedFile | None:
    return None


@examples(100)
@given(LINES, st.binary(max_size=5).map(lambda text: text.replace(b"\n", b".")), st.integers(1, 40))
def test_parts_have_every_whole_line_once_however_small_they_are(tmp_path_factory, lines: list[bytes], half: bytes, most: int) -> None:  # type: ignore[no-untyped-def]
    folder: Path = tmp_path_factory.mktemp("log")
    content = b"".join(line + b"\n" for line in lines)
    (folder / "a.jsonl.open").write_bytes(content + half)
    files = SpoolFiles(folder, none)
    assert files.look() == ["a"]
    waiting = files.waiting("a", 0)
    assert (waiting.bytes, waiting.lines) == (len(content), len(lines))
    place, read = 0, []
    while (part := files.read("a", place, files.size("a"), most)) is not None:
        read += part.lines
        place = part.end_of(len(part.lines))
    assert (read, place) == (lines, len(content))


def test_of_the_file_that_is_written_only_what_is_on_the_disk_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.open").write_bytes(b"safe\nnot yet\n")
    (tmp_path / "person_ids").write_text("not of the log")
    files = SpoolFiles(tmp_path, lambda: SyncedFile("a", 5))
    assert files.look() == ["a"]
    assert files.is_written("a")
    assert files.read("a", 0, files.size("a"), 100) == Part("a", 0, [b"safe"])


def test_a_file_that_was_finished_since_the_look_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.open").write_bytes(b"line\n")
    files = SpoolFiles(tmp_path, none)
    files.look()
    (tmp_path / "a.jsonl.open").rename(tmp_path / "a.jsonl")
    assert files.size("a") == 5
    files.remove("a")
    assert not list(tmp_path.iterdir())


def test_no_folder_is_no_files(tmp_path: Path) -> None:
    assert SpoolFiles(tmp_path / "none", none).look() == []


def test_a_part_says_when_its_first_line_came() -> None:
    came = Part("a", 0, [b'{"received_at":"2026-03-01T08:00:00.500000Z"}']).came_at
    assert came == datetime(2026, 3, 1, 8, 0, 0, 500_000, tzinfo=UTC)
    assert Part("a", 0, [b'{"received_at":"today"}']).came_at is None
    assert Part("a", 0, [b"{}"]).came_at is None
