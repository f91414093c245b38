"""Packed rows say what the columns say, are read past Feast as Feast reads them, and never come before what is newer."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DependencyUnavailable
from endcap.features.columns import RECENT_MOVED, USER_RECENT
from endcap.features.store.names import SESSION_SIGNALS, USER_RECENT_VIEW
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.packed_read import PackedRead, packed_columns
from endcap.features.store.packed_rows import BothForms, PackedRows
from endcap.features.store.packed_views import (
    LOOK_EVERY_SECONDS,
    PACKED,
    PACKED_SERVICE,
    PACKED_VIEWS,
    RECENT_PACKED,
    SESSION_PACKED,
    USER_ITEM_PACKED,
)
from endcap.features.store.stored_values import EntityKeys, FeastValues, SqliteValues, stored_values
from tests.endcap.features.store.made_visits import visit
from tests.endcap.features.store.plain_rows import plain, typed
from tests.properties import examples
from tests.waiting import until

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)


@pytest.fixture(scope="module")
def online(filled) -> OnlineFeatures:
    return OnlineFeatures.open(filled.settings)


@pytest.fixture(scope="module")
def by_columns(filled) -> OnlineFeatures:
    """A reader as of the version before rows were packed."""
    reader = OnlineFeatures.open(filled.settings)
    reader._packed = PackedRead(None)
    return reader


def lately(*item_ids: str) -> dict:
    return {name: [0] * len(item_ids) for name in USER_RECENT} | {
        "recent_item_ids": list(item_ids),
        "recent_bought_item_ids": list(item_ids),
        "recent_visit_ids": ["v"],
        RECENT_MOVED: 0,
    }


def users_of(filled) -> list[str]:
    return pl.read_parquet(filled.features / "user_features.parquet")["user_id"].unique().sort().to_list()


def test_a_packed_row_says_what_the_columns_say(filled, online, by_columns):
    users = users_of(filled)
    found = online.read_many([(user, None) for user in users])
    assert len(users) == 8
    assert typed({"rows": found[0]["user"]}) == typed({"rows": by_columns.read(users[0], None)["user"]})
    for user, row in zip(users, found, strict=True):
        expected = by_columns.read(user, None)["user"]
        assert {name: typed(value) for name, value in row["user"].items()} == {name: typed(value) for name, value in expected.items()}
        assert list(row["user"]) == list(expected)


def test_no_columns_are_read_of_whom_packed_rows_are_there(filled, online, monkeypatch):
    monkeypatch.setattr(online._columns, "read", None)
    assert online.read("u1", "nowhere")["user"]["tenure_days"] > 0
    assert online.read("nobody", "nowhere") is None


def test_what_is_written_in_both_forms_is_read_alike(filled, online, by_columns):
    BothForms(filled.store, SESSION_PACKED).write(["both"], [visit("i1", "é")], NOW)
    BothForms(filled.store, RECENT_PACKED).write(["both"], [lately("i1", "é", "")], NOW)
    row, expected = online.read("both", "both"), by_columns.read("both", "both")
    assert row["session"]["session_item_ids"] == ["i1", "é"]
    assert row["recent"]["recent_item_ids"] == ["i1", "é", ""]
    for part in ("recent", "session"):
        assert {name: typed(value) for name, value in row[part].items()} == {name: typed(value) for name, value in expected[part].items()}


def test_a_raw_read_gives_what_feast_gives(filled, online):
    BothForms(filled.store, SESSION_PACKED).write(["raw"], [visit("i1")], NOW)
    columns, config, store = packed_columns(filled.store), filled.store.config, online._online.own()
    entities = [*(("user_id", user) for user in (*users_of(filled), "nobody")), ("session_id", "raw"), ("session_id", "nowhere")]
    raw = stored_values(config, columns)
    assert isinstance(raw, SqliteValues)
    found = raw.read(store, entities)
    assert found == FeastValues(config, columns).read(store, entities)
    assert found[0][0].moment == filled.manifest.data_end
    assert found[-2][0].content is not None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
@examples(100)
def test_keys_are_those_of_feast(user_id):
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    key = EntityKey(join_keys=["user_id"], entity_values=[Value(string_val=user_id)])
    config = SimpleNamespace(entity_key_serialization_version=3)
    assert EntityKeys(config, ["user_id"]).of(("user_id", user_id)) == serialize_entity_key(key, entity_key_serialization_version=3)


def test_columns_that_an_earlier_version_wrote_later_come_before_a_packed_row(filled, online):
    BothForms(filled.store, SESSION_PACKED).write(["older"], [visit("i1")], NOW)
    OnlineRows(filled.store, SESSION_SIGNALS).write(["older"], [visit("i1", "i2")], LATER)
    assert online.read(None, "older")["session"]["session_item_ids"] == ["i1", "i2"]
    BothForms(filled.store, SESSION_PACKED).write(["older"], [visit("i3")], LATER + timedelta(seconds=1))
    assert online.read(None, "older")["session"]["session_item_ids"] == ["i3"]


def test_columns_without_a_packed_row_are_read(filled, online):
    OnlineRows(filled.store, USER_RECENT_VIEW).write(["columns"], [lately("i1")], NOW)
    assert online.read("columns", None)["recent"]["recent_item_ids"] == ["i1"]
    OnlineRows(filled.store, USER_RECENT_VIEW).write(["u3"], [lately("i1")], NOW)
    row = online.read("u3", None)
    assert (row["user"]["tenure_days"] > 0, row["recent"]["recent_item_ids"]) == (True, ["i1"])


def test_a_packed_row_without_columns_is_read(filled, online):
    """A later version may write no columns, or leave old ones behind."""
    PackedRows(filled.store, SESSION_PACKED).write(["alone"], [visit("i1")], NOW)
    assert online.read(None, "alone")["session"]["session_item_ids"] == ["i1"]
    OnlineRows(filled.store, SESSION_SIGNALS).write(["alone"], [visit("i2")], NOW - timedelta(days=1))
    assert online.read(None, "alone")["session"]["session_item_ids"] == ["i1"]


def broken(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("place", [2, 4, 8, 12, 30, -1], ids=["version", "columns", "checksum", "length", "counts", "values"])
def test_a_packed_row_that_cannot_be_read_gives_way_to_its_columns(filled, online, place, capsys):
    BothForms(filled.store, SESSION_PACKED).write(["damaged"], [visit("i1")], NOW)
    content = SESSION_PACKED.layout.pack(visit("wrong"))
    OnlineRows(filled.store, SESSION_PACKED.name).write(["damaged"], [{PACKED: broken(content, place % len(content))}], NOW)
    assert online.read(None, "damaged")["session"]["session_item_ids"] == ["i1"]


def test_a_packed_row_that_cannot_be_read_and_has_no_columns_of_its_moment_is_an_error(filled, online):
    OnlineRows(filled.store, SESSION_SIGNALS).write(["unreadable"], [visit("i1")], NOW)
    OnlineRows(filled.store, SESSION_PACKED.name).write(["unreadable"], [{PACKED: b"ec\x02 of a later version"}], LATER)
    with pytest.raises(DependencyUnavailable, match=SESSION_PACKED.name) as refused:
        online.read(None, "unreadable")
    assert "endcap features" in str(refused.value)


def test_rows_are_read_and_written_by_columns_until_features_are_applied_that_pack_them(filled, monkeypatch, capsys):
    from feast.errors import FeatureServiceNotFoundException, FeatureViewNotFoundException

    registered, view_of = filled.store.get_feature_service, filled.store.get_feature_view

    def service(name):
        if name == PACKED_SERVICE:
            raise FeatureServiceNotFoundException(name)
        return registered(name)

    def view(name):
        if name.endswith("_packed"):
            raise FeatureViewNotFoundException(name)
        return view_of(name)

    now_s = [0.0]
    packed = PackedRows(filled.store, SESSION_PACKED, lambda: now_s[0])
    with monkeypatch.context() as before:
        before.setattr(filled.store, "get_feature_service", service)
        before.setattr(filled.store, "get_feature_view", view)
        online = OnlineFeatures(filled.store, lambda: now_s[0])
        packed.write(["before"], [visit("wrong")], NOW)
        BothForms(filled.store, SESSION_PACKED).write(["before"], [visit("i1")], NOW)
        row = online.read("u1", "before")
        assert row["user"]["tenure_days"] > 0
        assert row["session"]["session_item_ids"] == ["i1"]
        said = capsys.readouterr()
        assert PACKED_SERVICE in said.out + said.err
    # Once features are applied, without a new start.
    packed.write(["before"], [visit("too early")], LATER)
    assert online.read(None, "before")["session"]["session_item_ids"] == ["i1"]
    now_s[0] = LOOK_EVERY_SECONDS
    packed.write(["before"], [visit("i2")], LATER)
    online.read(None, "before")
    until(lambda: online._packed.is_there, "packed rows are read")
    assert online.read(None, "before")["session"]["session_item_ids"] == ["i2"]


def test_a_person_of_whom_one_table_knows_nothing_has_none_in_its_columns(filled, online, by_columns):
    moment = filled.manifest.data_end
    PackedRows(filled.store, USER_ITEM_PACKED).write(["pairs alone"], [{"pair_item_ids": ["i1"]}], moment)
    row = online.read("pairs alone", None)["user"]
    assert (row["pair_item_ids"], row["tenure_days"], row["event_timestamp"]) == (["i1"], None, moment)
    assert plain(row)["history_item_ids"] is None


def test_packed_views_that_an_earlier_version_took_away_are_read_by_columns(filled, tmp_path):
    settings = filled.settings.model_copy(update={"home": tmp_path / "home"})
    shutil.copytree(filled.settings.home, settings.home)
    online = OnlineFeatures.open(settings)
    before = online.read("u1", "nowhere")
    with sqlite3.connect(settings.feast_dir / "online.db") as connection:
        for view in PACKED_VIEWS:
            connection.execute(f'DROP TABLE "endcap_{view.name}"')
    assert plain(online.read("u1", "nowhere")) == plain(before)
    assert plain(online.read("u1", None)) == plain(before)
