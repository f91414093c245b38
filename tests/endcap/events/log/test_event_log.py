import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from endcap.contracts.event import Event, EventType
from endcap.events.log.batches import Impressions
from endcap.events.log.reader import event_schema, read_events
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX, EventLog, LogFile, Rotation
from tests.endcap.events.log.whole_events import WholeEvents
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def batch(request_id: str, count: int = 4) -> Impressions:
    places = range(1, count + 1)
    items = [f"i{place}" for place in places]
    return Impressions(
        request_id, None, None, "home", None, items, places, [1.0] * count, ["popular"] * count, "1", "default", NOW, True, True
    )


@contextmanager
def opened(folder: Path, **given: object) -> Iterator[EventLog]:
    log = EventLog(folder, **given)  # type: ignore[arg-type]
    try:
        yield log
    finally:
        log.close()


def test_what_was_emitted_is_read_back_by_the_contracts_schema(tmp_path: Path) -> None:
    view = Event(event_id=uuid4(), event_type=EventType.PRODUCT_VIEW, occurred_at=NOW, received_at=NOW, session_id="s", item_id="i1")
    with opened(tmp_path / "events") as log:
        log.emit(batch("r1"))
        log.emit(WholeEvents([view]))
    read = read_events(tmp_path / "events").collect()
    assert read.schema == event_schema()
    assert read["event_type"].to_list() == ["impression"] * 4 + ["product_view"]
    assert read["position"].to_list() == [1, 2, 3, 4, None]
    assert read["occurred_at"].to_list() == [NOW] * 5
    assert read["event_id"][4] == str(view.event_id)


def test_concurrent_emitters_lose_nothing_and_mix_nothing(tmp_path: Path) -> None:
    def emit(log: EventLog, emitter: int) -> None:
        for number in range(200):
            log.emit(batch(f"{emitter}-{number}"))

    with opened(tmp_path, rotation=Rotation(file_bytes=20_000, flush_seconds=0.001)) as log:
        threads = [threading.Thread(target=emit, args=(log, emitter)) for emitter in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    read = read_events(tmp_path).collect()
    assert len(read) == read["event_id"].n_unique() == 8 * 200 * 4
    assert read.group_by("request_id").len()["len"].unique().to_list() == [4]
    assert log.dropped == 0
    assert len(list(tmp_path.iterdir())) > 1
    assert not list(tmp_path.glob(f"*{OPEN_SUFFIX}"))


def test_a_full_queue_drops_and_counts_instead_of_waiting(tmp_path: Path) -> None:
    counts: list[int] = []
    with opened(tmp_path, queue_batches=3, rotation=Rotation(flush_seconds=3_600), count_dropped=counts.append) as log:
        for number in range(5):
            log.emit(batch(str(number)))
        assert log.dropped == sum(counts) == 8
    assert read_events(tmp_path).collect()["request_id"].unique().sort().to_list() == ["0", "1", "2"]


def test_a_closed_log_drops_and_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        pass
    log.emit(batch("late"))
    assert log.dropped == 4


def test_a_disk_that_refuses_costs_events_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("a file where the folder should be")
    with opened(tmp_path / "events") as log:
        log.emit(batch("r1"))
    assert log.dropped == 4


def test_a_disk_that_gets_full_leaves_whole_lines_and_the_log_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    log = EventLog(tmp_path, rotation=Rotation(flush_seconds=3_600))
    log.emit(batch("kept"))
    log._flush()

    def write_half(descriptor: int, content: bytes) -> int:
        write(descriptor, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("endcap.events.log.writer.os.write", write_half)
        log.emit(batch("lost"))
        log._flush()
    log.emit(batch("after"))
    log.close()
    assert log.dropped == 4
    assert read_events(tmp_path).collect()["request_id"].to_list() == ["kept"] * 4 + ["after"] * 4
    assert all(file.read_bytes().endswith(b"\n") for file in tmp_path.iterdir())


def test_a_batch_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.emit(replace(batch("broken"), sources=[]))
        log.emit(batch("r1"))
    assert log.dropped == 4
    assert read_events(tmp_path).collect()["request_id"].unique().to_list() == ["r1"]


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([FILE_SUFFIX, OPEN_SUFFIX]))
def test_a_file_that_breaks_off_gives_its_whole_lines(tmp_path: Path, data: st.DataObject, suffix: str) -> None:
    folder = tmp_path / uuid4().hex
    folder.mkdir()
    content = batch("r1", 3).json_lines().encode()
    cut = data.draw(st.integers(0, len(content)))
    (folder / f"a{suffix}").write_bytes(content[:cut])
    (folder / f"b{FILE_SUFFIX}").write_bytes(content)
    assert len(read_events(folder).collect()) == content[:cut].count(b"\n") + 3


def test_a_process_that_is_killed_leaves_what_it_flushed(tmp_path: Path) -> None:
    log = EventLog(tmp_path, rotation=Rotation(flush_seconds=3_600))
    log.emit(batch("r1"))
    log._flush()
    (file,) = tmp_path.iterdir()
    assert file.name.endswith(OPEN_SUFFIX)
    assert len(read_events(tmp_path).collect()) == 4
    log.close()
    assert len(read_events(tmp_path).collect()) == 4


def test_a_folder_without_events_has_none(tmp_path: Path) -> None:
    assert read_events(tmp_path / "none").collect().equals(pl.DataFrame(schema=event_schema()))
    (tmp_path / f"a{FILE_SUFFIX}").write_bytes(b"")
    assert len(read_events(tmp_path).collect()) == 0


def test_fields_of_a_later_version_are_left_out(tmp_path: Path) -> None:
    (tmp_path / f"a{FILE_SUFFIX}").write_text(batch("r1", 1).json_lines().replace('{"event_id"', '{"colour":"red","event_id"'))
    assert read_events(tmp_path).collect().columns == event_schema().names()


def test_files_are_named_by_their_first_moment_and_process(tmp_path: Path) -> None:
    with opened(tmp_path, clock=lambda: NOW) as log:
        log.emit(batch("r1"))
    (file,) = tmp_path.iterdir()
    assert file.name.startswith(f"20260301T080000-{os.getpid()}-")


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_closing_keeps_its_deadline(tmp_path: Path, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    log = EventLog(tmp_path, rotation=Rotation(flush_seconds=0.001))
    monkeypatch.setattr(log._file, "append", lambda content: gate.wait(10))
    log.emit(batch("r1"))
    log.close(seconds)
    gate.set()
    log._thread.join()
    assert log._closing.is_set()


def test_lines_from_before_analytics_consent_are_read_as_allowed(tmp_path: Path) -> None:
    before, since = (batch("r", 1).json_lines() for _ in range(2))
    before = before.replace(',"consent_analytics":true', "")
    (tmp_path / f"a{FILE_SUFFIX}").write_text(before + since.replace('"consent_analytics":true', '"consent_analytics":false'))
    assert read_events(tmp_path).collect()["consent_analytics"].to_list() == [True, False]
    assert Event.model_validate_json(before).consent_analytics


def test_a_file_that_the_disk_does_not_give_is_not_left_out(tmp_path: Path) -> None:
    (tmp_path / f"a{OPEN_SUFFIX}").mkdir()
    with pytest.raises(IsADirectoryError):
        read_events(tmp_path)


@contextmanager
def late_refusal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that says only at the end that it had no room."""
    close = os.close

    def refused(descriptor: int) -> None:
        close(descriptor)
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as full:
        full.setattr("endcap.events.log.writer.os.close", refused)
        yield


def test_a_disk_that_refuses_at_the_end_of_a_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = LogFile(tmp_path, lambda: NOW, Rotation())
    file.append(b"{}\n")
    with late_refusal(monkeypatch), pytest.raises(OSError, match="quota"):
        file.close()
    file.close()


def test_a_disk_that_refuses_at_the_end_of_the_log_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = EventLog(tmp_path)
    log.emit(batch("r1"))
    with late_refusal(monkeypatch), capture_logs() as lines:
        log.close()
    assert [line["reason"] for line in lines] == ["the disk refused: Disk quota exceeded"]


def test_a_file_that_cannot_get_its_final_name_is_read_under_the_one_of_an_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(Path, "rename", refused)
    with opened(tmp_path) as log:
        log.emit(batch("r1"))
    (file,) = tmp_path.iterdir()
    assert file.name.endswith(OPEN_SUFFIX) and len(read_events(tmp_path).collect()) == 4
