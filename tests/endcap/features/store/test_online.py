import polars as pl
import pytest

from endcap.core.errors import DataRejected, DependencyUnavailable
from endcap.features.columns import PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.store.materialize import materialize
from endcap.features.store.names import REQUEST_SERVICE
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.push import SessionSignals, push_sessions
from tests.endcap.features.store.plain_rows import plain


@pytest.fixture(scope="module")
def online(filled):
    return OnlineFeatures.open(filled.settings)


def test_a_users_read_is_the_row_at_the_datas_end(filled, online):
    at_end = pl.col("event_timestamp") == filled.manifest.data_end
    users = pl.read_parquet(filled.features / "user_features.parquet").filter(at_end)
    pairs = pl.read_parquet(filled.features / "user_item_features.parquet").filter(at_end)
    for expected in users.join(pairs, on="user_id").to_dicts():
        row = online.read(expected["user_id"], None)
        assert row["session"] is None
        for name in (*USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY, *USER_AFFINITY, *PAIR_LISTS):
            assert plain(row["user"][name]) == expected[name], name


def test_unknown_ids_and_no_ids_give_none(online):
    assert online.read("nobody", "nowhere") is None
    assert online.read(None, None) is None


def test_a_pushed_session_is_read_with_and_without_a_user(filled, online):
    push_sessions(filled.store, [SessionSignals("visit 1", ["i1", "i2"], ["product_view", "add_to_cart"], [1_700_000_000, 1_700_000_060])])
    row = online.read("u1", "visit 1")
    assert row["user"]["tenure_days"] > 0
    assert plain(row["session"]) == {
        "session_item_ids": ["i1", "i2"],
        "session_event_types": ["product_view", "add_to_cart"],
        "session_occurred_at": [1_700_000_000, 1_700_000_060],
    }
    assert online.read("nobody", "visit 1")["user"] is None


def test_a_later_push_replaces_the_session(filled, online):
    push_sessions(filled.store, [SessionSignals("visit 2", ["i1"], ["product_view"], [1_700_000_000])])
    push_sessions(filled.store, [SessionSignals("visit 2", ["i1", "i3"], ["product_view", "purchase"], [1_700_000_000, 1_700_000_100])])
    assert online.read(None, "visit 2")["session"]["session_item_ids"] == ["i1", "i3"]


def test_sessions_with_uneven_lists_are_refused(filled):
    with pytest.raises(ValueError, match="visit 3"):
        push_sessions(filled.store, [SessionSignals("visit 3", ["i1"], [], [1])])


def test_materialising_before_the_first_snapshot_is_refused(filled):
    with pytest.raises(DataRejected, match="until"):
        materialize(filled.settings, filled.manifest.first_event_at)


def test_materialising_says_the_features_moments(filled):
    assert filled.moments == dict.fromkeys(("user_profile", "user_history", "user_item"), filled.manifest.data_end)


def test_refresh_keeps_reading(online):
    online.refresh()
    assert online.read("u1", None)["user"]["tenure_days"] > 0


def test_a_store_without_the_service_is_an_error_with_a_fix(filled, monkeypatch):
    def missing(name):
        raise LookupError(name)

    monkeypatch.setattr(filled.store, "get_feature_service", missing)
    with pytest.raises(DependencyUnavailable, match=REQUEST_SERVICE):
        OnlineFeatures(filled.store)
