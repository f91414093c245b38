"""What the short ways into SQLite and Redis give is what Feast gives."""

import sqlite3
import time

import pytest
import redis

from endcap.core.ports import free_port
from endcap.core.settings import ServingSettings
from endcap.features.store.materialize import materialize
from endcap.features.store.names import SESSION_COLUMNS, SESSION_SIGNALS, USER_RECENT_VIEW, USER_VIEWS
from endcap.features.store.open import open_for_requests, open_for_sessions
from endcap.features.store.publish import publish_features
from endcap.features.store.push import SessionSignals, push_sessions
from endcap.features.store.view_rows import FeastRows, RedisRows, SqliteRows, ViewsOf, view_rows
from tests.debian_programs import required_program
from tests.endcap.features.store.redis_server import RedisServer

USERS = ["u1", "u2", "nobody", "u5"]
VISITS = ["visit 7", "nowhere"]


def online_of(store):
    from feast.infra.online_stores.helpers import get_online_store_from_config

    return get_online_store_from_config(store.config.online_store)


def keys(join_key, ids):
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value

    return [EntityKey(join_keys=[join_key], entity_values=[Value(string_val=each)]) for each in ids]


def asked(store):
    """All that a request reads, of several people and visits, some unknown; and nothing of nobody."""

    def views(*names):
        return [(store.get_feature_view(name), [field.name for field in store.get_feature_view(name).features]) for name in names]

    sessions = [(store.get_feature_view(SESSION_SIGNALS), list(SESSION_COLUMNS))]
    users = keys("user_id", USERS)
    return [
        ViewsOf(views(*USER_VIEWS), users),
        ViewsOf(views(USER_RECENT_VIEW), users),
        ViewsOf(sessions, keys("session_id", VISITS)),
        ViewsOf(views(*USER_VIEWS), []),
    ]


def known(rows, of):
    """As requests take them: what was asked for only, and none of the empty values and moments of 1970 that Feast's Redis store gives."""
    return [
        [
            [(moment if named(values, names) else None, named(values, names)) for moment, values in of_view]
            for of_view, (_, names) in zip(of_entity, each.views, strict=True)
        ]
        for of_entity, each in zip(rows, of, strict=True)
    ]


def named(values, names):
    return {name: value for name, value in values.items() if name in names and value.WhichOneof("val")}


def both(store, online):
    """What the short way gives, and what Feast gives."""
    of = asked(store)
    return view_rows(store, online).read(of), known(FeastRows(store, online).read(of), of)


def pushed(settings):
    push_sessions(
        open_for_sessions(settings), [SessionSignals("visit 7", ["i1", "i3"], ["product_view", "purchase"], [1_700_000_000, 1_700_000_060])]
    )


def test_sqlite_gives_what_feast_gives(filled) -> None:
    pushed(filled.settings)
    store = open_for_requests(filled.settings)
    online = online_of(store)
    assert isinstance(view_rows(store, online), SqliteRows)
    found, expected = both(store, online)
    assert found == expected
    assert [len(of_view) for of_view in found[0]] == [len(USERS)] * len(USER_VIEWS)
    assert found[0][0][0][1]
    assert found[0][0][2] == (None, {})
    assert found[3] == [[], [], []]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_sqlite_gives_the_moments_that_feast_gives_wherever_the_machine_stands(filled, monkeypatch, zone) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        store = open_for_requests(filled.settings)
        found, expected = both(store, online_of(store))
        assert found == expected
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_person_costs_one_statement_whatever_is_read_of_them(filled) -> None:
    store = open_for_requests(filled.settings)
    online = online_of(store)
    rows, statements = view_rows(store, online), []
    connection: sqlite3.Connection = online._get_conn(store.config)
    connection.set_trace_callback(statements.append)
    rows.read(asked(store)[:1])
    assert len(statements) == 1


def test_a_feast_with_other_internals_is_read_the_long_way(filled, monkeypatch) -> None:
    from feast.infra.online_stores.sqlite import SqliteOnlineStore

    store = open_for_requests(filled.settings)
    online = online_of(store)
    monkeypatch.delattr(SqliteOnlineStore, "_get_conn")
    assert isinstance(view_rows(store, online), FeastRows)


@pytest.fixture(scope="module")
def cluster(filled, tmp_path_factory):
    server = RedisServer(required_program("redis-server"), tmp_path_factory.mktemp("redis"), free_port())
    server.start()
    home = tmp_path_factory.mktemp("cluster") / "home"
    patient = ServingSettings(features_timeout_ms=20_000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEAST_REDIS", f"127.0.0.1:{server.port}")
        patch.setenv("FEAST_REGISTRY", f"sqlite:///{tmp_path_factory.mktemp('registry') / 'registry.db'}")
        settings = filled.settings.model_copy(update={"profile": "cluster", "home": home, "serving": patient})
        publish_features(filled.features, settings)
        materialize(settings, filled.manifest.data_end)
        yield server, settings
    server.stop()


@pytest.mark.processes
def test_redis_gives_what_feast_gives_in_one_round_trip(cluster) -> None:
    server, settings = cluster
    pushed(settings)
    store = open_for_requests(settings)
    online = online_of(store)
    short = view_rows(store, online)
    assert isinstance(short, RedisRows)
    found, expected = both(store, online)
    assert found == expected
    assert found[0][0][0][1]
    assert short.read([]) == []
    with redis.Redis(port=server.port) as client:
        before = client.info("stats")["total_reads_processed"]
        short.read(asked(store))
        assert client.info("stats")["total_reads_processed"] - before <= 2  # one of them asks for the count
