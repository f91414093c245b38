"""Batches come again, are broken off and fail; each counts once."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import InvalidInput
from endcap.events.schemas.frame import framed
from endcap.events.stream.buried import LETTERS
from endcap.events.stream.function import Instant, Step
from endcap.events.stream.item_counters import ItemCounters
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import NeededConsent
from endcap_stream.spark.stages.keying import TAKEN
from endcap_stream.spark.storage.batch_outbox import BatchOutbox
from endcap_stream.spark.storage.batch_record import BatchRecords
from endcap_stream.spark.storage.done_batches import DoneBatches
from endcap_stream.spark.storage.packs import Pack
from tests.endcap.events.stream.streamed_events import BEGIN, event
from tests.services.stream.spark.serial_spark import SerialSession
from tests.services.stream.spark.spark_bench import BUCKETS, QUERY, OnSpark, line_of

NOW = BEGIN + timedelta(minutes=5)


@pytest.fixture(params=[0, 1_000], ids=["executors", "driver"])
def driver_records_max(request: pytest.FixtureRequest) -> int:
    """Batches are computed by executors, or by the driver."""
    return int(request.param)


@pytest.fixture
def stream(tmp_path: Path, driver_records_max: int) -> OnSpark:
    """Of visits alone."""
    return OnSpark(SerialSession(), tmp_path, [(Sessions(), NeededConsent.PERSONALISATION)], driver_records_max)


def clicks(*names: str, session: str = "s") -> list[bytes]:
    return [line_of(event(name, place, "click", session, item_id=name)) for place, name in enumerate(names)]


def items(stream: OnSpark) -> dict[str, list[str]]:
    return {session: row["session_item_ids"] for (session,), row in stream.rows("sessions").items()}


def done(stream: OnSpark) -> DoneBatches:
    """As a driver finds them that starts."""
    return DoneBatches(stream.folder, BatchRecords(stream.folder, QUERY, BUCKETS), [Sessions()])


def outbox(batches: DoneBatches) -> BatchOutbox:
    return batches.outboxes["sessions"]


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_batch_that_comes_again_after_its_record_was_written_changes_nothing(stream: OnSpark, tmp_path: Path) -> None:
    first = stream.take(clicks("a", "b"), NOW)
    before = files(tmp_path)
    again = stream.run(clicks("a", "b"), NOW + timedelta(hours=9), 0)
    assert (again, files(tmp_path)) == (first, before)
    stream.take(clicks("a", "b", "c"), NOW)
    assert items(stream) == {"s": ["a", "b", "c"]}


def test_a_batch_that_was_broken_off_begins_where_the_one_before_ended(stream: OnSpark, tmp_path: Path) -> None:
    stream.take(clicks("a"), NOW)
    broken_off = stream.run(clicks("a", "b"), NOW, 1)
    stream.folder.remove("batches/000000000001.json")
    record = stream.take(clicks("a", "b"), NOW)
    assert items(stream) == {"s": ["a", "b"]}
    assert record.counts == broken_off.counts
    done(stream)
    assert {name for name in files(tmp_path) if name.startswith("state/")} == record.file_names()


def test_what_a_sink_has_is_not_delivered_again_after_a_restart(stream: OnSpark) -> None:
    stream.run(clicks("a"), NOW, 0)
    batches = done(stream)
    parcel = outbox(batches).parcel()
    assert parcel is not None
    outbox(batches).remove(parcel)
    assert (outbox(batches).parcel(), outbox(done(stream)).parcel()) == (None, None)


def test_rows_of_a_sink_that_is_away_wait_and_are_replaced_by_newer_ones(stream: OnSpark) -> None:
    batches = None
    for number in range(6):
        record = stream.run([*clicks(*"abcdef"[: number + 1]), *clicks(f"other{number}", session=f"s{number}")], NOW, number)
        batches = batches or done(stream)
        batches.add(record)
        batches.remove_old()
    for waits in (batches, done(stream)):
        assert waits is not None
        parcel = outbox(waits).parcel()
        assert parcel is not None
        told = {row["session_id"]: row["session_item_ids"] for row in parcel.rows.iter_rows(named=True)}
        assert told == {"s": [*"abcdef"], **{f"s{number}": [f"other{number}"] for number in range(6)}}


def test_versions_that_no_batch_begins_from_are_removed(stream: OnSpark, tmp_path: Path) -> None:
    batches, kept = None, list[int]()
    for number in range(30):
        record = stream.run(clicks(str(number)), NOW, number)
        batches = batches or done(stream)
        batches.add(record)
        if (parcel := outbox(batches).parcel()) is not None:
            outbox(batches).remove(parcel)
        batches.remove_old()
        kept.append(len(files(tmp_path)))
    assert BatchRecords(stream.folder, QUERY, BUCKETS).numbers() == [28, 29]
    assert max(kept[20:]) <= max(kept[:20])
    # The last batch may come again without its record.
    stream.folder.remove("batches/000000000029.json")
    assert stream.run(clicks("29"), NOW, 29).counts[TAKEN] == 1


class FailsOn(Sessions):
    """Cannot take an item."""

    name = "fails"

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        if (events["item_id"] == "bad").any():
            raise ValueError("bad item")
        return super().step(state, events, at)


def test_events_that_a_function_fails_on_are_dead_letters_and_all_else_goes_on(tmp_path: Path, driver_records_max: int) -> None:
    functions = [(FailsOn(), NeededConsent.NONE), (Sessions(), NeededConsent.NONE)]
    stream = OnSpark(SerialSession(), tmp_path, functions, driver_records_max)
    record = stream.take([*clicks("a", "bad"), *clicks("c", session="other"), b"{", framed(7, b"[]"), b"\x07"], NOW)
    assert items(stream) == {"s": ["a", "bad"], "other": ["c"]}
    assert {key: row["session_item_ids"] for (key,), row in stream.rows("fails").items()} == {"other": ["c"]}
    assert record.failed == {"fails": 2}
    letters = stream.rows_of(record, LETTERS)
    assert letters is not None
    assert len(letters) == 5
    assert sum("function fails failed on it: ValueError" in letter for letter in letters["letter"]) == 2
    assert stream.take(clicks("d", session="s"), NOW).failed == {}


def test_framed_and_plain_values_are_read(stream: OnSpark) -> None:
    plain, other = clicks("a", "b")
    stream.take([plain, framed(3, other)], NOW)
    assert items(stream) == {"s": ["a", "b"]}


def test_time_without_events_steps_what_is_due(tmp_path: Path, driver_records_max: int) -> None:
    stream = OnSpark(SerialSession(), tmp_path, [(ItemCounters(), NeededConsent.NONE)], driver_records_max)
    stream.take([line_of(event("bought", 0, "purchase", item_id="a", quantity=1.0, unit_price=1.0, currency="EUR"))], NOW)
    assert stream.rows("item_counters")["a", ""]["purchases_7d"] == 1
    stream.take([], NOW + timedelta(days=1))
    assert stream.rows("item_counters")["a", ""]["purchases_7d"] == 1
    record = stream.take([], NOW + timedelta(days=7))
    assert stream.rows("item_counters")["a", ""]["purchases_7d"] == 0
    assert record.present == NOW + timedelta(days=7)


@pytest.mark.parametrize("number", [0, 3])
def test_a_state_that_does_not_fit_the_checkpoint_is_refused(stream: OnSpark, number: int) -> None:
    for each in range(2):
        stream.run(clicks(str(each)), NOW, each)
    stream.folder.remove("batches/000000000000.json")
    with pytest.raises(InvalidInput, match="checkpoint"):
        stream.run(clicks("x"), NOW, number)


def test_another_query_or_another_number_of_buckets_is_refused(stream: OnSpark) -> None:
    stream.run(clicks("a"), NOW, 0)
    with pytest.raises(InvalidInput, match="another query"):
        BatchRecords(stream.folder, "other", BUCKETS).read(0)
    with pytest.raises(InvalidInput, match=f"give {BUCKETS}"):
        BatchRecords(stream.folder, QUERY, BUCKETS + 1).read(0)


class NeverRead:
    """A batch with a tick alone: reading it would cost a job."""

    class rdd:  # noqa: N801 - the name is Spark's
        @staticmethod
        def getNumPartitions() -> int:  # noqa: N802 - the name is Spark's
            return 1


def test_a_batch_in_which_nothing_came_is_not_read(stream: OnSpark) -> None:
    first = stream.take(clicks("a"), NOW)
    record = stream.run_values(NeverRead, NOW + timedelta(seconds=1), 1)
    assert (record.files, record.present) == (first.files, NOW + timedelta(seconds=1))


def test_a_batch_without_records_costs_no_state(stream: OnSpark) -> None:
    first = stream.take(clicks("a"), NOW)
    second = stream.take([], NOW + timedelta(seconds=1))
    assert second.files == first.files
    assert Pack(stream.folder.read(first.rows_name) or b"").table("sessions") is not None
    assert stream.folder.read(second.rows_name) is None
