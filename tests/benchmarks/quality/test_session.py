"""Session: after each event of the last days' visits, what comes next; nothing of these days is learned from."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from endcap.core.errors import DataRejected
from endcap.dataset.sources.folder import import_folder
from endcap_benchmarks.quality.data_kind import kind_of_visits
from endcap_benchmarks.quality.evaluating import known_share
from endcap_benchmarks.quality.protocols.session import LATER, NEXT, session_task
from endcap_benchmarks.quality.recorded_signals import RecordedSignals, read_recorded_signals, signal_codes
from endcap_benchmarks.quality.task import RankingTask

MAPPING = """
source: visits
time_zone: UTC
tables:
  items: {files: items.csv, columns: {item_id: item}}
  events: {files: events.csv, columns: {event_type: kind, session_id: visit, occurred_at: at, item_id: item, quantity: pieces}}
"""
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
VISITS = {
    ("early", 1): "view a, view b, add_to_cart b",
    ("alone", 2): "view a",
    ("over", 10): "view a, view c, view d",
    ("late", 15): "view a, view b, add_to_cart b, purchase b",
    ("new", 16): "view c, view n",
    ("end", 19): "view d",
}
KINDS = {"view": "product_view"}
ALL = signal_codes([])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedSignals:
    folder = tmp_path_factory.mktemp("visits")
    lines = ["kind,visit,at,item,pieces"]
    for (visit, day), events in VISITS.items():
        for step, event in enumerate(events.split(", ")):
            kind, item = event.split()
            at = FIRST + timedelta(days=day, hours=step if visit != "over" else 12 * step)
            lines.append(f"{KINDS.get(kind, kind)},{visit},{at:%Y-%m-%dT%H:%M:%S},{item},1")
    (folder / "events.csv").write_text("\n".join(lines) + "\n")
    (folder / "items.csv").write_text("item\na\nb\nc\nd\nn\n")
    (folder / "mapping.yaml").write_text(MAPPING)
    return read_recorded_signals(import_folder(folder, folder / "mapping.yaml", folder / "dataset", 0.0)[0].path)


def asked(task: RankingTask, truth: str) -> list[tuple[str, str, str]]:
    """Visit, history and truth of each row that has one, items by name."""

    def names(codes: object) -> str:
        return "".join(task.items.ids.name(int(code)) for code in codes)  # type: ignore[attr-defined]

    found, histories = task.truths[truth].items, task.histories
    rows = [
        (task.user_ids[row], names(histories.item_index[histories.user_row == row]), names(found.item_index[found.user_row == row]))
        for row in range(task.users)
    ]
    return [row for row in rows if row[2]]


def test_every_event_but_the_first_is_a_target(recorded: RecordedSignals) -> None:
    task = session_task(recorded, "test", ALL, days=6)
    assert asked(task, NEXT) == [("late", "a", "b"), ("late", "ab", "b"), ("late", "abb", "b"), ("new", "c", "n")]
    assert task.truths[NEXT].hidden is None


def test_all_later_items_are_a_truth_and_so_is_each_kind_of_event(recorded: RecordedSignals) -> None:
    task = session_task(recorded, "test", signal_codes(["views", "carts", "purchases"]), days=6)
    assert asked(task, LATER)[0] == ("late", "a", "b")
    assert asked(task, "next of views") == [("late", "a", "b"), ("new", "c", "n")]
    assert asked(task, "next of carts") == [("late", "ab", "b")]
    assert asked(task, "next of purchases") == [("late", "abb", "b")]


def test_visits_of_the_judged_days_and_single_events_teach_nothing(recorded: RecordedSignals) -> None:
    task = session_task(recorded, "test", ALL, days=6)
    learned = task.training.interactions
    visits = [[task.items.ids.name(int(code)) for code in learned.item_index[learned.user_row == row]] for row in range(learned.users)]
    # The visit that goes on over the cut is learned from up to it, and not judged.
    assert sorted(visits) == [["a", "b", "b"], ["a", "c"]]
    assert known_share(task, NEXT) == pytest.approx(3 / 4)


def test_validation_ends_where_the_test_begins(recorded: RecordedSignals) -> None:
    task = session_task(recorded, "validation", ALL, days=5)
    assert task.cut == FIRST + timedelta(days=7)
    assert asked(task, NEXT) == [("over", "a", "c"), ("over", "ac", "d")]


def test_no_visits_on_one_side_is_told(recorded: RecordedSignals) -> None:
    with pytest.raises(DataRejected, match="--days: no visits of 2 events on both sides of 2026-02-16"):
        session_task(recorded, "test", ALL, days=30)


def test_the_kind_of_data_counts_visits(recorded: RecordedSignals) -> None:
    kind = kind_of_visits(recorded)
    assert kind.of_visits
    assert (kind.users, kind.purchases) == (len(VISITS), 14)
    assert json.loads(kind.model_dump_json())["says"].startswith("21% of the events")
