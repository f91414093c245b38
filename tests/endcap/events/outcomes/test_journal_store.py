from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from endcap.events.outcomes.day_tables import changed_days_written, read_outcomes
from endcap.events.outcomes.journal_store import JournalStore
from endcap.events.outcomes.outcome_counters import OutcomeTotals
from endcap.events.outcomes.resolution import outcomes_of
from endcap.events.outcomes.whole_log import journal_of_log, outcome_functions
from endcap.events.outcomes.windows import Windows
from tests.endcap.events.outcomes.driven import deliver, journal_of_batches, lists
from tests.endcap.events.outcomes.made_events import END, START, Row, event, frame, logs
from tests.properties import examples

WINDOW = timedelta(minutes=30)
LATER = START + timedelta(hours=3)


@pytest.fixture
def store(tmp_path: Path) -> JournalStore:
    return JournalStore(tmp_path)


def items(totals: OutcomeTotals) -> dict[tuple[str, str, str], int]:
    return {(row[0], row[1], row[2]): row[3] for row in totals.items.rows()}


def write_changed(folder: Path, store: JournalStore) -> list[date]:
    return [day for day, _ in changed_days_written(folder, store)]


def test_a_list_counts_once_when_its_time_is_over_and_not_before(store: JournalStore) -> None:
    deliver(
        store, event("impression", 1, 0), event("impression", 2, 0, item_id="B", position=2), event("click", 3, 1), event("click", 4, 2)
    )
    assert store.count_lists(START + WINDOW - timedelta(seconds=1), WINDOW) == 0
    assert lists(store.totals()) == {("7", "home"): (0, 0, 0)}
    assert store.count_lists(START + WINDOW, WINDOW) == 1
    assert store.count_lists(LATER, WINDOW) == 0
    assert lists(store.totals()) == {("7", "home"): (1, 1, 0)}


def test_what_follows_after_the_lists_time_does_not_count_for_guardrails(store: JournalStore) -> None:
    deliver(store, event("impression", 1, 0), event("purchase", 2, 31), event("impression", 3, 0, request_id="r2", item_id="B"))
    deliver(store, event("impression", 3, 0, request_id="r2", item_id="B"), event("purchase", 4, 29, item_id="B"))
    store.count_lists(LATER, WINDOW)
    assert lists(store.totals()) == {("7", "home"): (2, 0, 1)}


def test_where_pages_say_what_was_seen_a_list_that_was_not_is_no_impression(store: JournalStore) -> None:
    seen = event("seen_impression", 2, 1, request_id="r1", position=1)
    deliver(store, event("impression", 1, 0), seen, event("impression", 3, 0, request_id="r2"))
    deliver(store, event("impression", 4, 0, request_id="r3", surface="cart"))
    store.count_lists(LATER, WINDOW)
    assert lists(store.totals()) == {("7", "home"): (1, 0, 0), ("7", "cart"): (1, 0, 0)}


def test_items_are_counted_by_source_place_and_what_happened(store: JournalStore) -> None:
    far = event("impression", 2, 0, item_id="B", position=33, source="ease")
    deliver(store, event("impression", 1, 0), far, event("click", 3, 1), event("add_to_cart", 4, 2, item_id="B"))
    store.count_lists(LATER, WINDOW)
    assert items(store.totals()) == {
        ("popular", "1", "served"): 1,
        ("popular", "1", "click"): 1,
        ("ease", "21+", "served"): 1,
        ("ease", "21+", "cart"): 1,
    }


def test_totals_go_on_after_a_restart_and_a_repeated_delivery_changes_nothing(tmp_path: Path) -> None:
    rows = [event("impression", 1, 0), event("click", 2, 1)]
    store = JournalStore(tmp_path)
    deliver(store, *rows)
    store.count_lists(LATER, WINDOW)
    store.close()
    again = JournalStore(tmp_path)
    deliver(again, *rows)
    again.count_lists(LATER, WINDOW)
    deliver(again, event("impression", 3, 60, request_id="r2", bundle="endcap-8"))
    again.count_lists(LATER, WINDOW)
    assert lists(again.totals()) == {("7", "home"): (1, 1, 0), ("8", "home"): (1, 0, 0)}


def test_a_process_that_ends_while_it_counts_counts_again_from_what_is_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = JournalStore(tmp_path)
    deliver(store, event("impression", 1, 0), event("click", 2, 1))
    with monkeypatch.context() as ending:
        ending.setattr(store, "_add", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.count_lists(LATER, WINDOW)
    assert store.count_lists(LATER, WINDOW) == 1
    assert lists(store.totals()) == {("7", "home"): (1, 1, 0)}


@given(logs(), st.integers(0, 2**32))
@examples(8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_day_tables_are_the_outcomes_of_the_whole_log(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    folder, random = tmp_path_factory.mktemp("days"), Random(seed)
    store = JournalStore(folder)
    said = [(each.function.name, each.said()) for each in journal_of_batches([frame(rows)], Windows())[1]]
    for name, part in random.sample(said, len(said)):
        for piece in part.sample(fraction=1, shuffle=True, seed=seed).iter_slices(3):
            store.sink(name).deliver(piece)
            if random.random() < 0.2:
                write_changed(folder, store)
    write_changed(folder, store)
    assert store.changed_days() == {}
    whole = outcomes_of(journal_of_log(frame(rows), Windows(), END))
    assert_frame_equal(read_outcomes(folder), whole, check_row_order=False, abs_tol=1e-9)


def test_a_return_makes_the_day_of_the_list_anew(store: JournalStore, tmp_path: Path) -> None:
    deliver(store, event("impression", 1, 0), event("purchase", 2, 10, order_id="o"))
    write_changed(tmp_path, store)
    assert read_outcomes(tmp_path)["value"].sum() == 2
    deliver(store, event("return", 3, 60 * 24 * 3, order_id="o"))
    assert list(store.changed_days()) == [START.date()]
    write_changed(tmp_path, store)
    assert read_outcomes(tmp_path)["followed"].sum() == 0


def test_days_are_read_from_and_to(store: JournalStore, tmp_path: Path) -> None:
    deliver(store, *(event("impression", number, number * 60 * 24, request_id=f"r{number}") for number in range(3)))
    write_changed(tmp_path, store)
    assert read_outcomes(tmp_path, date(2026, 11, 3), date(2026, 11, 3))["request_id"].unique().to_list() == ["r1"]
    assert read_outcomes(tmp_path / "none").is_empty()


def test_what_is_forgotten_leaves_totals_and_tables_as_they_are(store: JournalStore, tmp_path: Path) -> None:
    deliver(store, event("impression", 1, 0), event("click", 2, 1), event("purchase", 3, 2))
    store.count_lists(LATER, WINDOW)
    write_changed(tmp_path, store)
    store.forget(START + timedelta(days=80))
    assert lists(store.totals()) == {("7", "home"): (1, 1, 1)}
    assert list(store.hours_of(START.date())) == []
    assert store.changed_days() == {}
    assert len(read_outcomes(tmp_path)) == 3


def test_functions_and_sinks_have_the_same_names(store: JournalStore) -> None:
    assert [store.sink(function.name).name for function in outcome_functions(Windows())] == [
        "places",
        "attribution",
        "orders",
        "identified",
    ]
    with pytest.raises(KeyError):
        store.sink("sessions")


def test_days_are_those_of_the_lists_that_are_kept(store: JournalStore) -> None:
    deliver(store, event("impression", 1, 0), event("impression", 2, 60 * 24 * 3, request_id="r2"))
    assert store.days() == [START.date(), (START + timedelta(days=3)).date()]
    store.forget(START + timedelta(days=1))
    assert store.days() == [(START + timedelta(days=3)).date()]


def test_who_reads_a_day_neither_waits_nor_is_waited_for(store: JournalStore) -> None:
    deliver(store, event("impression", 1, 0))
    with store._snapshot() as reading:
        assert len(reading.places.rows()) == 1
        deliver(store, event("impression", 2, 0, item_id="B", position=2))
        assert store.count_lists(LATER, WINDOW) == 1
        assert len(reading.places.rows()) == 1
    day = START.date()
    with ThreadPoolExecutor() as others, store._transaction():
        assert lists(others.submit(store.totals).result(timeout=30)) == {("7", "home"): (1, 0, 0)}
        (hour,) = others.submit(lambda: list(store.hours_of(day))).result(timeout=30)
        assert len(hour.places) == 2


def test_a_day_is_written_an_hour_after_the_other_and_put_in_place_as_a_whole(store: JournalStore, tmp_path: Path) -> None:
    deliver(store, *(event("impression", number, number * 60, request_id=f"r{number}") for number in range(3)))
    (day,), hours = store.changed_days(), []
    for each, parts in changed_days_written(tmp_path, store):
        assert each == day
        hours.append(next(parts).places["request_id"].to_list())
        assert read_outcomes(tmp_path).is_empty()
        hours += [part.places["request_id"].to_list() for part in parts]
    assert hours == [["r0"], ["r1"], ["r2"]]
    assert read_outcomes(tmp_path)["request_id"].unique().sort().to_list() == ["r0", "r1", "r2"]


def test_a_day_that_was_not_written_to_its_end_is_written_again(store: JournalStore, tmp_path: Path) -> None:
    deliver(store, event("impression", 1, 0), event("impression", 2, 90, request_id="r2"))
    with pytest.raises(OSError, match="full"):
        for _, hours in changed_days_written(tmp_path, store):
            next(hours)
            raise OSError("full")
    assert read_outcomes(tmp_path).is_empty()
    assert write_changed(tmp_path, store) == [START.date()]
    assert len(read_outcomes(tmp_path)) == 6
