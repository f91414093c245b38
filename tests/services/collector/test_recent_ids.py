from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from endcap_collector.recent_ids import RecentIds, Seen

IDS = st.lists(st.tuples(st.integers(1, 40).map(lambda number: UUID(int=number)), st.sampled_from([b"a", b"b"])), max_size=200)


@given(IDS)
def test_the_newest_ids_are_known_with_what_they_said(events: list[tuple[UUID, bytes]]) -> None:
    recent, first = RecentIds(100), dict[UUID, bytes]()
    for event_id, content in events:
        said = first.setdefault(event_id, content)
        verdict = recent.see(event_id, content)
        if verdict is not Seen.NEW:
            assert verdict is (Seen.AGAIN if said == content else Seen.OTHER_CONTENT)
    assert all(event_id in recent for event_id in first)


def test_memory_is_bound_and_the_newest_stay() -> None:
    recent = RecentIds(10)
    for number in range(1, 101):
        assert recent.see(UUID(int=number), b"") is Seen.NEW
    known = [number for number in range(1, 101) if UUID(int=number) in recent]
    assert known == list(range(known[0], 101))
    assert 10 <= len(known) <= 20


def test_what_was_not_stored_is_new_again() -> None:
    recent = RecentIds(10)
    recent.see(UUID(int=1), b"a")
    recent.forget([UUID(int=1)])
    assert recent.see(UUID(int=1), b"b") is Seen.NEW


def line(number: int) -> str:
    return f'{{"occurred_at":"x","event_id":"{UUID(int=number)}","item_id":"i"}}\n'


def test_a_log_is_remembered_from_its_end(tmp_path: Path) -> None:
    (tmp_path / "20260301T080000-1.jsonl").write_text("".join(line(number) for number in range(1, 6)))
    served = f'{{"event_id":"{UUID(int=99)}"}}\n'
    (tmp_path / "20260301T090000-1.jsonl.open").write_text(line(6) + served + line(7) + line(8)[:-1])
    recent = RecentIds(4)
    assert recent.remember_log(tmp_path, datetime(2026, 1, 1, tzinfo=UTC)) == 4
    assert [number for number in range(1, 100) if UUID(int=number) in recent] == [4, 5, 6, 7]
    assert recent.see(UUID(int=7), line(7)[line(7).index('"event_id"') :].encode()) is Seen.AGAIN


def test_files_of_long_ago_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "20260201T080000-1.jsonl").write_text(line(1))
    (tmp_path / "20260301T080000-1.jsonl").write_text(line(2))
    recent = RecentIds(4)
    assert recent.remember_log(tmp_path, datetime(2026, 2, 28, tzinfo=UTC)) == 1
    assert recent.remember_log(tmp_path / "none", datetime(2026, 2, 28, tzinfo=UTC)) == 0
