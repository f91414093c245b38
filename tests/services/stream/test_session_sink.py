"""Visits in a real online store, as a request reads them."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.contracts.bundle import MANIFEST_NAME, BundleManifest
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.engine.retrieval.user_state import user_state
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.whole_log import run_to_end
from endcap.features.store.names import SESSION_SIGNALS, SESSION_SUMMARY
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.open import open_for_requests
from endcap.release.bundle.manifest import present_feature_columns
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.served_pointer import ServedPointer, write_pointer
from endcap_benchmarks.synthetic.bundle import SyntheticSize, manifest_fields
from endcap_stream.replayed_moment import ReplayedMoment
from endcap_stream.session_sink import SessionSink
from tests.endcap.events.stream.streamed_events import BEGIN, event, frame
from tests.endcap.features.store.plain_rows import plain
from tests.transformers.two_items import two_items

pytestmark = pytest.mark.processes

DATA_END = datetime(2017, 12, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(store_home: Path) -> Settings:
    return Settings(home=store_home)


def rows_of(*events: dict[str, object]) -> pl.DataFrame:
    return run_to_end([Sessions()], frame(events))["sessions"]


def sink_of(settings: Settings, now: datetime) -> SessionSink:
    return SessionSink(settings, ReplayedMoment(settings, lambda: now), lambda: now)


def test_a_request_reads_the_visit_as_it_was_pushed_last(settings: Settings) -> None:
    first = event("1", 0, "product_view", "visit", item_id="i1", user_id="u")
    online = OnlineFeatures.open(settings)
    sink_of(settings, BEGIN).deliver(rows_of(first))
    sink = sink_of(settings, BEGIN + timedelta(milliseconds=1))
    for _ in range(2):
        sink.deliver(rows_of(first, event("2", 5, "add_to_cart", "visit", item_id="i2")))
    row = online.read(None, "visit")
    assert row is not None
    assert plain(row["session"]) == {
        "session_item_ids": ["i1", "i2"],
        "session_event_types": ["product_view", "add_to_cart"],
        "session_occurred_at": [int(BEGIN.timestamp()), int(BEGIN.timestamp()) + 5],
    }


def test_the_cart_the_queries_and_the_dwell_of_a_visit_are_features_too(settings: Settings) -> None:
    sink_of(settings, BEGIN).deliver(
        rows_of(
            event("1", 0, "add_to_cart", "carted", item_id="i1"),
            event("2", 1, "search", "carted", query="tea"),
            event("3", 2, "dwell", "carted", dwell_ms=1_500),
        )
    )
    asked = [f"{SESSION_SIGNALS}:{name}" for name in SESSION_SUMMARY]
    row = open_for_requests(settings).get_online_features(asked, [{"session_id": "carted"}]).to_dict()
    assert [row[name] for name in SESSION_SUMMARY] == [[["i1"]], [["tea"]], [1_500]]


def test_a_visit_that_begins_again_without_items_takes_the_earlier_ones_away(settings: Settings) -> None:
    first = event("1", 0, "product_view", "again", item_id="i1")
    sink_of(settings, BEGIN).deliver(rows_of(first))
    sink_of(settings, BEGIN + timedelta(hours=1)).deliver(rows_of(first, event("2", 3_600, "page_view", "again")))
    row = OnlineFeatures.open(settings).read(None, "again")
    assert row is not None
    assert plain(row["session"]) == {"session_item_ids": [], "session_event_types": [], "session_occurred_at": []}


@pytest.fixture
def recorded(settings: Settings) -> Iterator[Settings]:
    """The same home while it serves a bundle of recorded data."""
    folder = model_base_path(settings.served_dir) / "7"
    folder.mkdir(parents=True)
    fields = manifest_fields(7, "collection", SyntheticSize()) | {"data_end": DATA_END, "files": {}, "features": present_feature_columns()}
    (folder / MANIFEST_NAME).write_text(BundleManifest.model_validate(fields).model_dump_json())
    yield settings
    shutil.rmtree(settings.served_dir)


def test_where_the_bundle_answers_as_of_its_end_visits_are_moved_there(recorded: Settings) -> None:
    now = BEGIN + timedelta(seconds=29.5)
    assert ReplayedMoment(recorded, lambda: now).distance() == now - DATA_END
    sink_of(recorded, now).deliver(rows_of(event("1", 10, "product_view", "moved", item_id="i1")))
    row = OnlineFeatures.open(recorded).read(None, "moved")
    assert row is not None and row["session"] is not None
    assert row["session"]["session_occurred_at"] == [int(DATA_END.timestamp()) - 20]


def test_a_request_makes_the_same_of_a_visit_that_was_moved_as_of_one_of_today(recorded: Settings) -> None:
    now = BEGIN + timedelta(minutes=5)
    rows = rows_of(event("1", 10, "product_view", "same", item_id="a"), event("2", 70, "add_to_cart", "same", item_id="b"))
    sink_of(recorded, now).deliver(rows)
    pushed = OnlineFeatures.open(recorded).read(None, "same")
    assert pushed is not None and pushed["session"] is not None
    items = two_items(1.0, 2.0, DATA_END)
    as_of_end, today = (
        user_state(
            None,
            items,
            {},
            moment,
            visit["session_item_ids"],
            visit["session_event_types"],
            session_occurred_at=visit["session_occurred_at"],
        )
        for moment, visit in ((DATA_END, pushed["session"]), (now, rows.row(0, named=True)))
    )
    assert as_of_end.session.tolist() == today.session.tolist() and len(today.session) == 2
    for name in ("index", "views", "carts", "days_since_viewed", "cart_age_days"):
        assert getattr(as_of_end.signals, name).tolist() == pytest.approx(getattr(today.signals, name).tolist(), nan_ok=True), name


def test_without_a_store_visits_wait(tmp_path: Path) -> None:
    with pytest.raises(DependencyUnavailable, match="endcap features"):
        sink_of(Settings(home=tmp_path), BEGIN).deliver(rows_of())


def test_where_nobody_says_which_bundle_is_served_visits_wait_and_it_is_said(settings: Settings, tmp_path: Path) -> None:
    pointer = tmp_path / "served.json"
    rollouts = settings.rollouts.model_copy(update={"served_file": pointer, "bundle_store": str(tmp_path)})
    pointed = settings.model_copy(update={"rollouts": rollouts})
    sink, rows = sink_of(pointed, BEGIN), rows_of(event("1", 10, "product_view", "waits", item_id="i1"))
    with pytest.raises(DependencyUnavailable, match="nobody has said which bundle is served"):
        sink.deliver(rows)
    write_pointer(pointer, ServedPointer(version=None))
    sink.deliver(rows)
    row = OnlineFeatures.open(settings).read(None, "waits")
    assert row is not None and row["session"] is not None
