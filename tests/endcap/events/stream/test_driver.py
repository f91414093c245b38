from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.events.dead_letters.letters import letter_table, opened_payload, read_letters
from endcap.events.stream.buried import LETTERS, LetterSink
from endcap.events.stream.counting import LeftOut
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver, DriverRules
from endcap.events.stream.following import Arrived, FoundLine
from endcap.events.stream.function import KEY, Instant, Step, no_due
from endcap.events.stream.lines import BrokenLine
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import NeededConsent, Subscription
from tests.endcap.events.stream.streamed_events import BEGIN, SEAL, Bench, Collected, arrived, event, frame


class Sums:
    """How many events each item has, and what odd keys do to a function: it fails on the item `poison`."""

    name = "sums"
    state_schema = pl.Schema({KEY: pl.String(), "events": pl.Int64()})
    row_schema = pl.Schema({"item_id": pl.String(), "events": pl.Int64(), "last_at": pl.Datetime("us", "UTC"), "share": pl.Float64()})
    row_key = ("item_id",)

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        return events.filter(pl.col("item_id").is_not_null()).with_columns(pl.col("item_id").alias(KEY))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        if "poison" in events[KEY]:
            raise ZeroDivisionError
        both = pl.concat([state, events.select(KEY, pl.lit(1, pl.Int64).alias("events"))]).group_by(KEY).agg(pl.col("events").sum())
        rows = both.select(
            pl.col(KEY).alias("item_id"), "events", pl.lit(at.present).alias("last_at"), (1 / pl.col("events")).alias("share")
        )
        return Step(both, rows.cast(self.row_schema), no_due())


def events_of(bench: Bench) -> dict[str, int]:
    return {key[0]: row["events"] for key, row in bench.delivered().items()}


def test_an_event_counts_once_however_often_it_comes(tmp_path: Path) -> None:
    bench = Bench(Sums(), tmp_path)
    first = event("1", 0, "click", item_id="a")
    assert bench.take(first, first).left_out[LeftOut.DUPLICATE] == 1
    bench.restart()
    assert bench.take(first, event("2", 1, "click", item_id="a")).left_out[LeftOut.DUPLICATE] == 1
    assert events_of(bench) == {"a": 2}
    bench.close()


@pytest.mark.parametrize("item", ["a\x00b", "\x00", "'; --", '["a"]', "\U0001f375"])
def test_a_key_is_any_text(item: str) -> None:
    bench = Bench(Sums())
    for place in range(3):
        bench.take(event(str(place), place, "click", item_id=item))
    assert events_of(bench) == {item: 3}
    assert bench.driver.keys("sums") == 1


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    bench = Bench(Sums(), tmp_path)
    bench.take(*(event(str(place), 0.000001, "click", item_id="ä\"'\n") for place in range(3)))
    row = {"item_id": "ä\"'\n", "events": 3, "last_at": BEGIN + timedelta(microseconds=1), "share": 1 / 3}
    assert bench.delivered() == {("ä\"'\n",): row}
    bench.close()


def test_events_from_before_the_watermark_are_late_and_left_out() -> None:
    bench = Bench(Sums())
    hours = 3_600
    taken = bench.take(
        event("1", 0, "click", item_id="a"),
        event("2", 2 * hours, "click", item_id="a", arrives=2 * hours),
        event("3", 0, "click", item_id="a", arrives=2 * hours),
        event("4", -1, "click", item_id="a", arrives=2 * hours),
    )
    assert (taken.events, taken.left_out[LeftOut.LATE]) == (3, 1)
    assert taken.at.watermark == BEGIN
    assert bench.take(event("5", -1, "click", item_id="a")).left_out[LeftOut.LATE] == 1


def test_the_present_is_the_clocks_once_the_log_is_read() -> None:
    bench = Bench(Sums())
    bench.now = BEGIN + timedelta(hours=5)
    assert bench.take(event("1", 0, "click", item_id="a"), is_behind=True).at.present == BEGIN
    assert bench.take(event("2", 60, "click", item_id="a")).at.present == bench.now


def test_ids_that_stand_for_none_count_as_none() -> None:
    bench = Bench(Sums())
    taken = bench.take(
        event("1", 0, "click", item_id="undefined"),
        event("2", 0, "click", "null", item_id="a"),
        event("3", 0, "click", item_id="a", user_id="[object Object]"),
        event("4", 0, "search", item_id=" NULL ", query="tea"),
        event("5", 0, "click", item_id="0", user_id="u"),
    )
    assert (taken.events, taken.left_out[LeftOut.NO_ID], taken.placeholder_ids) == (3, 2, 4)
    assert events_of(bench) == {"a": 1, "0": 1}


@pytest.mark.parametrize(
    ("consent", "counted"), [(NeededConsent.PERSONALISATION, "a"), (NeededConsent.ANALYTICS, "b"), (NeededConsent.NONE, "abc")]
)
def test_a_function_sees_what_its_need_of_consent_allows(consent: NeededConsent, counted: str) -> None:
    sink = Collected(("item_id",))
    driver = Driver(None, [Subscription(Sums(), sink, consent)], SEAL, lambda: BEGIN)
    given = {"a": (True, False), "b": (False, True), "c": (False, False)}
    events = [event(item, 0, "click", item_id=item, consent=each[0], consent_analytics=each[1]) for item, each in given.items()]
    driver.step(arrived(events))
    assert Delivery(driver.outboxes, {"sums": sink}).settle(30)
    assert sorted(row["item_id"] for row in sink.rows.values()) == list(counted)


def test_a_sink_that_is_away_makes_its_newest_rows_wait_and_no_other() -> None:
    away, there = Collected(("item_id",)), Collected(("session_id",))
    away.is_away = True
    driver = Driver(None, [Subscription(Sums(), away), Subscription(Sessions(), there)], SEAL, lambda: BEGIN)
    now, failures = [0.0], list[str]()
    delivery = Delivery(driver.outboxes, {"sums": away, "sessions": there}, failures.append, lambda: now[0])
    for place in range(3):
        driver.step(arrived([event(str(place), place, "click", item_id="a")]))
        delivery.settle(30)
        now[0] += 60
    assert failures == ["sums"] * 3
    assert driver.outboxes["sums"].waiting() == 1 and driver.outboxes["sessions"].waiting() == 0
    assert there.rows["s",]["session_item_ids"] == ["a"] * 3
    away.is_away = False
    assert delivery.settle(30)
    assert (away.deliveries, away.rows["a",]["events"]) == (1, 3)


def test_a_sink_is_asked_to_open_what_it_needs_before_there_are_rows() -> None:
    bench = Bench(Sums())
    bench.sink.is_away = True
    failures: list[str] = []
    now = [0.0]
    delivery = Delivery(bench.driver.outboxes, {"sums": bench.sink}, failures.append, lambda: now[0])
    delivery.open_sinks()
    assert delivery.settle(30) and failures == ["sums"]
    bench.sink.is_away, now[0] = False, 60.0
    bench.take(event("1", 0, "click", item_id="a"))
    assert delivery.settle(30) and bench.sink.rows["a",]["events"] == 1


def test_what_was_stored_and_not_delivered_is_delivered_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(Sums(), tmp_path)
    bench.take(event("1", 0, "click", item_id="a"))
    bench.restart()
    assert bench.sink.deliveries == 0
    assert events_of(bench) == {"a": 1}
    bench.restart()
    bench.delivered()
    assert bench.sink.deliveries == 1
    bench.close()


def test_what_a_step_could_not_store_may_be_taken_again(tmp_path: Path) -> None:
    bench = Bench(Sums(), tmp_path)
    bad = Arrived(frame([event("1", 0, "click", item_id="a")]), [], {"file": 10**30}, [], is_behind=False)
    with pytest.raises(OverflowError):
        bench.driver.step(bad)
    assert bench.take(event("1", 0, "click", item_id="a")).events == 1
    assert events_of(bench) == {"a": 1}
    bench.close()


def test_one_process_at_a_time_has_the_state(tmp_path: Path) -> None:
    bench = Bench(Sums(), tmp_path)
    with pytest.raises(DependencyUnavailable, match="another stream"):
        Bench(Sums(), tmp_path)
    bench.close()
    Bench(Sums(), tmp_path).close()


class Others(Sums):
    state_schema = pl.Schema({KEY: pl.String(), "seconds": pl.Float64()})


def test_a_state_of_other_columns_is_refused_with_the_way_out(tmp_path: Path) -> None:
    Bench(Sums(), tmp_path).close()
    with pytest.raises(InvalidInput, match=r"state of sums .* key String, seconds Float64.*remove its folder"):
        Bench(Others(), tmp_path)
    Bench(Sums(), tmp_path).close()


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"nothing of ours" * 100)
    with pytest.raises(DependencyUnavailable, match="cannot be opened"):
        Bench(Sums(), tmp_path)


def letters(driver: Driver, folder: Path) -> pl.DataFrame:
    assert Delivery(driver.outboxes, {LETTERS: LetterSink(folder)}).settle(30)
    return letter_table(folder)


def found(*contents: bytes) -> Sequence[FoundLine]:
    return [
        FoundLine("file", 100, BrokenLine(place, content, DeadLetterKind.PAYLOAD_BROKEN, None, "the line is no JSON"))
        for place, content in enumerate(contents)
    ]


def test_a_broken_line_is_a_dead_letter_and_the_rest_counts(tmp_path: Path) -> None:
    bench = Bench(Sums())
    taken = bench.driver.step(Arrived(frame([event("1", 0, "click", item_id="a")]), found(b"what?"), {}, [], is_behind=False))
    assert (taken.events, taken.broken) == (1, 1)
    table = letters(bench.driver, tmp_path)
    assert table.select("kind", "key_id", "reason").rows() == [("payload_broken", "stream", "the line is no JSON")]
    assert opened_payload(next(read_letters(tmp_path)), SEAL).text == "what?"


def test_a_letter_that_is_delivered_twice_lies_there_once(tmp_path: Path) -> None:
    bench = Bench(Sums())
    bench.driver.step(Arrived(frame([]), found(b"1?", b"2?"), {}, [], is_behind=False))
    parcel = bench.driver.outboxes[LETTERS].parcel()
    assert parcel is not None
    for _ in range(2):
        LetterSink(tmp_path).deliver(parcel.rows)
    assert len(letter_table(tmp_path)) == 2


def test_an_event_that_a_function_fails_on_is_a_dead_letter_and_the_rest_counts(tmp_path: Path) -> None:
    bench = Bench(Sums())
    items = ["a", "poison", "b", "a", "poison"]
    taken = bench.take(*(event(str(place), place, "click", item_id=item) for place, item in enumerate(items)))
    assert taken.failed == {"sums": 2}
    assert events_of(bench) == {"a": 2, "b": 1}
    table = letters(bench.driver, tmp_path)
    assert table["kind"].to_list() == ["part_away"] * 2
    assert table["reason"][0] == "the stream's function sums failed on it: ZeroDivisionError"
    bench.take(event("later", 10, "click", item_id="b"))
    assert events_of(bench)["b"] == 2


def test_state_columns_that_a_table_cannot_hold_are_refused() -> None:
    class Listed(Sums):
        state_schema = pl.Schema({KEY: pl.String(), "items": pl.List(pl.String())})

    with pytest.raises(TypeError, match=r"sums\.items"):
        Bench(Listed())


def test_while_the_log_cannot_be_seen_what_is_due_goes_by_the_clock_and_what_comes_late_counts() -> None:
    bench = Bench(Sums(), rules=DriverRules(delay=timedelta(hours=2)))
    bench.take(event("1", 0, "click", item_id="a"))
    bench.now += timedelta(hours=5)
    cut_off = replace(arrived([]), is_cut_off=True, holds_watermark=True)
    at = bench.driver.step(cut_off).at
    assert (at.present, at.watermark) == (bench.now, BEGIN - timedelta(hours=2))
    backlog = replace(arrived([event("2", 60, "click", item_id="a", arrives=60)], is_behind=True), holds_watermark=True)
    taken = bench.driver.step(backlog)
    assert (taken.events, taken.left_out[LeftOut.LATE]) == (1, 0)
    assert taken.at.present == bench.now, "what was due is not due again"
    assert taken.at.watermark == BEGIN + timedelta(seconds=60) - timedelta(hours=2)
    assert bench.driver.step(arrived([])).at.watermark == bench.now - timedelta(hours=2)
    assert bench.take(event("3", 90, "click", item_id="a")).left_out[LeftOut.LATE] == 1


def test_no_event_needs_no_step() -> None:
    bench = Bench(Sums())
    assert not bench.driver.is_due()
    assert bench.driver.step().events == 0
