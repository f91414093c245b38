"""Recent items go online beside the batch features, whole, again and again, moved where a bundle answers as of a moment long past."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import polars as pl
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.events.stream.recent_rows import ROWS
from endcap.features.columns import USER_RECENT
from endcap.features.store.materialize import materialize
from endcap.features.store.names import RECENT_PUSH_SOURCE, REQUEST_SERVICE, USER_RECENT_VIEW
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.recent_items import RecentItemsSink, moved_rows
from tests.endcap.features.store.plain_rows import plain

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
TEN_YEARS_S = 315_360_000


def rows_of(user_id: str, items: int = 2, until: int = 0) -> pl.DataFrame:
    touched = [f"i{number}" for number in range(items)]
    times = [NOW_S - items + number for number in range(items)]
    row = {
        "user_id": user_id,
        "recent_item_ids": touched,
        "recent_occurred_at": times,
        "recent_kinds": [1] * items,
        "recent_signals": [1] * items,
        "recent_visits": [0] * items,
        "recent_bought_item_ids": touched,
        "recent_bought_at": times,
        "recent_bought_until": [until] * items,
        "recent_visit_ids": ["v"] if items else [],
    }
    return pl.DataFrame([row], schema=ROWS)


@pytest.fixture(scope="module")
def online(filled):
    return OnlineFeatures.open(filled.settings)


def sink(filled, moved_s: int = 0, now: datetime = NOW) -> RecentItemsSink:
    return RecentItemsSink(filled.settings, lambda: timedelta(seconds=moved_s), lambda: now)


def test_what_is_delivered_is_read_beside_the_batch_features(filled, online):
    before = online.read("u1", None)["user"]
    sink(filled).deliver(rows_of("u1"))
    row = online.read("u1", None)
    assert plain(row["user"]) == plain(before)
    assert plain(row["recent"]) == rows_of("u1").drop("user_id").to_dicts()[0] | {"recent_moved_s": 0}
    assert tuple(row["recent"]) == USER_RECENT


def test_a_person_without_batch_features_is_read_by_what_they_did_lately(filled, online):
    sink(filled).deliver(rows_of("newcomer"))
    row = online.read("newcomer", None)
    assert row["user"] is None
    assert row["recent"]["recent_item_ids"] == ["i0", "i1"]


def test_the_same_rows_again_change_nothing_and_empty_ones_replace_them(filled, online):
    sink(filled).deliver(rows_of("u2"))
    first = online.read("u2", None)["recent"]
    sink(filled, now=NOW + timedelta(seconds=1)).deliver(rows_of("u2"))
    assert plain(online.read("u2", None)["recent"]) == plain(first)
    sink(filled, now=NOW + timedelta(seconds=2)).deliver(rows_of("u2", items=0))
    assert plain(online.read("u2", None)["recent"]) == {name: [] for name in USER_RECENT[:-1]} | {"recent_moved_s": 0}


def test_times_are_moved_to_the_moment_that_a_bundle_answers_as_of(filled, online):
    sink(filled, moved_s=TEN_YEARS_S).deliver(rows_of("u3", until=NOW_S))
    recent = plain(online.read("u3", None)["recent"])
    assert recent["recent_occurred_at"] == [NOW_S - 2 - TEN_YEARS_S, NOW_S - 1 - TEN_YEARS_S]
    assert recent["recent_bought_until"] == [NOW_S - TEN_YEARS_S] * 2
    assert recent["recent_moved_s"] == TEN_YEARS_S


def test_a_purchase_that_stands_stands_wherever_it_is_moved():
    assert moved_rows(rows_of("u"), TEN_YEARS_S)["recent_bought_until"].to_list() == [[0, 0]]


def test_materialising_leaves_recent_items_alone(filled, online):
    sink(filled, now=NOW + timedelta(days=1)).deliver(rows_of("u4"))
    expected = online.read("u4", None)
    materialize(filled.settings, filled.manifest.data_end)
    assert plain(online.read("u4", None)) == plain(expected)


def test_a_store_from_before_the_view_is_read_without_it_and_says_so(filled, monkeypatch, capsys):
    service = filled.store.get_feature_service(REQUEST_SERVICE)
    old = [projection for projection in service.feature_view_projections if projection.name != USER_RECENT_VIEW]
    monkeypatch.setattr(service, "feature_view_projections", old)

    def registered(name):
        if name != REQUEST_SERVICE:
            raise LookupError(name)
        return service

    monkeypatch.setattr(filled.store, "get_feature_service", registered)
    read = OnlineFeatures(filled.store).read("u1", None)
    assert read["user"]["tenure_days"] > 0
    assert read["recent"] is None
    said = capsys.readouterr()
    assert USER_RECENT_VIEW in said.out + said.err


def test_a_store_without_the_view_is_an_error_with_a_fix(filled, monkeypatch):
    def missing(name):
        raise LookupError(name)

    monkeypatch.setattr(filled.store, "get_feature_view", missing)
    with pytest.raises(DependencyUnavailable, match="endcap features"):
        OnlineRows(filled.store, USER_RECENT_VIEW).write(["u1"], [{}], NOW)


def test_before_there_is_a_store_rows_wait(tmp_path):
    with pytest.raises(DependencyUnavailable, match="endcap features"):
        RecentItemsSink(Settings(home=tmp_path), timedelta).deliver(rows_of("u1"))


def test_feasts_own_push_writes_the_same_view(filled, online):
    """Whoever has another stream pushes as to any view of Feast."""
    from feast.data_source import PushMode

    values = {name: [value] for name, value in (rows_of("u5").to_dicts()[0] | {"recent_moved_s": 0}).items()}
    filled.store.push(RECENT_PUSH_SOURCE, pd.DataFrame(values | {"event_timestamp": [NOW]}), to=PushMode.ONLINE)
    expected = online.read("u5", None)["recent"]
    sink(filled, now=NOW + timedelta(seconds=1)).deliver(rows_of("u5"))
    assert plain(online.read("u5", None)["recent"]) == plain(expected)
