from datetime import UTC, datetime, timedelta
from pathlib import Path

from endcap.events.log.reader import remove_files_before
from endcap.events.log.writer import EventLog
from tests.endcap.events.log.shown_lists import NOW, shown_list


def write(folder: Path, begun: datetime) -> None:
    log = EventLog(folder, clock=lambda: begun)
    log.emit(shown_list("r1"))
    log.close()


def test_files_that_were_begun_before_the_moment_go_and_all_else_stays(tmp_path: Path) -> None:
    for days in (3, 2, 1):
        write(tmp_path, NOW - timedelta(days=days))
    for name in ("20200101T000000-1.jsonl.open", "mine-20200101T000000.jsonl", "kafka_offsets.json"):
        (tmp_path / name).write_text("")
    assert remove_files_before(tmp_path, NOW - timedelta(days=2)) == 1
    assert sorted(file.name.partition("-")[0] for file in tmp_path.iterdir()) == [
        "20200101T000000",
        "20260227T080000",
        "20260228T080000",
        "kafka_offsets.json",
        "mine",
    ]


def test_no_folder_is_nothing_to_remove(tmp_path: Path) -> None:
    assert remove_files_before(tmp_path / "none", datetime.now(UTC)) == 0
