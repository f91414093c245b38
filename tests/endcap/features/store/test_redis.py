"""The cluster profile's store: a real Redis, and a registry in a database."""

import os
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import redis

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.ports import free_port
from endcap.core.settings import ServingSettings
from endcap.events.stream.recent_rows import ROWS
from endcap.features.columns import USER_NUMERIC
from endcap.features.store.config import store_config
from endcap.features.store.materialize import materialize
from endcap.features.store.names import SESSION_SIGNALS
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.open import open_for_sessions, open_store
from endcap.features.store.packed_read import PackedRead, packed_columns
from endcap.features.store.packed_rows import BothForms
from endcap.features.store.packed_views import SESSION_PACKED
from endcap.features.store.publish import publish_features
from endcap.features.store.push import SessionSignals, push_sessions
from endcap.features.store.recent_items import RecentItemsSink
from endcap.features.store.stored_values import FeastValues, RedisValues, stored_values
from endcap.features.store.training import users_at
from tests.debian_programs import required_program
from tests.endcap.features.store.made_visits import visit
from tests.endcap.features.store.plain_rows import plain
from tests.endcap.features.store.redis_server import RedisServer

pytestmark = pytest.mark.processes

PASSWORD = "pa: #s{d"
"""Holds what YAML gives a meaning to."""
PATIENT = ServingSettings(features_timeout_ms=20_000)
"""For a machine that does ten things at once; what is said of time-outs is tested with the usual ones."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = RedisServer(required_program("redis-server"), tmp_path_factory.mktemp("redis"), free_port(), ("--requirepass", PASSWORD))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def environment(server, tmp_path_factory):
    """The environment of a pod, for the whole module."""
    registry = tmp_path_factory.mktemp("registry") / "registry.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEAST_REDIS", f'127.0.0.1:{server.port},password="{PASSWORD}"')
        patch.setenv("FEAST_REGISTRY", f"sqlite:///{registry}")
        yield SimpleNamespace(registry=registry)


@pytest.fixture(scope="module")
def cluster(filled, environment, tmp_path_factory):
    """What a pipeline's pods do: publish, apply, materialise."""
    home = tmp_path_factory.mktemp("cluster") / "home"
    settings = filled.settings.model_copy(update={"profile": "cluster", "home": home, "serving": PATIENT})
    publish_features(filled.features, settings)
    moments = materialize(settings, filled.manifest.data_end)
    return SimpleNamespace(settings=settings, moments=moments)


@pytest.fixture(scope="module")
def online(cluster):
    return OnlineFeatures.open(cluster.settings)


def types_of(value):
    if isinstance(value, dict):
        return {name: types_of(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype
    return [type(value), *map(types_of, value)] if isinstance(value, list) else type(value)


def test_redis_gives_what_sqlite_gives(filled, cluster, online):
    of_sqlite = OnlineFeatures.open(filled.settings)
    users = pl.read_parquet(filled.features / "user_features.parquet")["user_id"].unique().sort().to_list()
    assert len(users) == 8
    for user in users:
        expected, found = of_sqlite.read(user, None), online.read(user, None)
        assert plain(found["user"]) == plain(expected["user"])
        assert types_of(found["user"]) == types_of(expected["user"])
        assert list(found["user"]) == list(expected["user"])
    assert cluster.moments == filled.moments


def test_a_raw_read_gives_what_feast_gives(filled, cluster, online):
    store = open_store(cluster.settings)
    BothForms(open_for_sessions(cluster.settings), SESSION_PACKED).write(["raw"], [visit("i1")], datetime(2026, 11, 27, 8, tzinfo=UTC))
    columns, connected = packed_columns(store), online._online.own()
    entities = [
        *(("user_id", f"u{number}") for number in range(8)),
        ("user_id", "nobody"),
        ("session_id", "raw"),
        ("session_id", "nowhere"),
    ]
    raw = stored_values(store.config, columns)
    assert isinstance(raw, RedisValues)
    found = raw.read(connected, entities)
    assert found == FeastValues(store.config, columns).read(connected, entities)
    assert found[0][0].moment == filled.manifest.data_end
    assert found[-2][0].content is not None
    assert online.read("u1", "raw")["session"]["session_item_ids"] == ["i1"]


def test_packed_rows_say_what_columns_say(filled, cluster, online):
    by_columns = OnlineFeatures.open(cluster.settings)
    by_columns._packed = PackedRead(None)
    for user in (f"u{number}" for number in range(8)):
        found, expected = online.read(user, None)["user"], by_columns.read(user, None)["user"]
        assert plain(found) == plain(expected)
        assert types_of(found) == types_of(expected)


def test_columns_that_an_earlier_version_wrote_later_come_before_a_packed_row(cluster, online):
    store, now = open_for_sessions(cluster.settings), datetime(2026, 11, 27, 8, tzinfo=UTC)
    BothForms(store, SESSION_PACKED).write(["older"], [visit("i1")], now)
    OnlineRows(store, SESSION_SIGNALS).write(["older"], [visit("i2")], now + timedelta(milliseconds=1))
    assert online.read(None, "older")["session"]["session_item_ids"] == ["i2"]


def test_unknown_ids_give_none(online):
    assert online.read("nobody", "nowhere") is None
    assert online.read("nobody", None) is None


def test_a_second_read_is_as_the_first(online):
    assert plain(online.read("u1", None)) == plain(online.read("u1", None))


def test_a_pushed_session_is_read_and_forgotten_after_its_life(cluster, online, server):
    push_sessions(open_for_sessions(cluster.settings), [SessionSignals("visit 1", ["i1"], ["product_view"], [1_700_000_000])])
    row = online.read("u1", "visit 1")
    assert row["user"]["tenure_days"] > 0
    assert plain(row["session"]) == {
        "session_item_ids": ["i1"],
        "session_event_types": ["product_view"],
        "session_occurred_at": [1_700_000_000],
    }
    with redis.Redis(port=server.port, password=PASSWORD) as client:
        lives = {key: client.ttl(key) for key in client.scan_iter("*")}
    assert {life > 0 for key, life in lives.items() if b"session_id" in key} == {True}
    assert {life for key, life in lives.items() if b"user_id" in key} == {-1}


def test_recent_items_of_one_second_replace_each_other_and_do_not_make_features_expire(cluster, online, server):
    before = online.read("u1", None)["user"]
    now = datetime(2026, 11, 27, 8, tzinfo=UTC)
    for number in range(2):
        sink = RecentItemsSink(cluster.settings, timedelta, lambda number=number: now + timedelta(milliseconds=number))
        sink.deliver(
            pl.DataFrame([{"user_id": "u1", "recent_item_ids": [f"i{number}"]}], schema=ROWS).with_columns(
                pl.exclude("user_id").fill_null([])
            )
        )
    row = online.read("u1", None)
    assert plain(row["user"]) == plain(before)
    assert row["recent"]["recent_item_ids"] == ["i1"]
    with redis.Redis(port=server.port, password=PASSWORD) as client:
        assert {client.ttl(key) for key in client.scan_iter("*") if b"user_id" in key} == {-1}


def test_a_pipelines_step_joins_point_in_time(filled, cluster):
    rows = users_at(open_store(cluster.settings), ["u1"], [filled.manifest.cut])
    expected = users_at(filled.store, ["u1"], [filled.manifest.cut])
    assert rows.equals(expected)
    assert set(USER_NUMERIC) <= set(rows.columns)


def test_a_server_that_only_reads_loads_no_engine_for_joins(cluster):
    """In a process of its own: what this one has imported says nothing."""
    code = (
        "import sys; from endcap.features.store.online import OnlineFeatures; from endcap.core.settings import load_settings;"
        "assert OnlineFeatures.open(load_settings()).read('u1', None);"
        "print(*sorted({'duckdb', 'ibis', 'dask', 'pyspark', 'tensorflow'} & set(sys.modules)))"
    )
    given = {"ENDCAP_PROFILE": "cluster", "ENDCAP_FEATURE_REPO_DIR": str(cluster.settings.feature_repo_dir)}
    given |= {"ENDCAP_HOME": str(cluster.settings.home / "nowhere"), "ENDCAP_SERVING__FEATURES_TIMEOUT_MS": "20000"}
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | given, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_no_password_is_written_down(cluster):
    files = [path for path in cluster.settings.home.rglob("*") if path.is_file()]
    assert any(path.name == "feature_store.yaml" for path in files)
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_a_registry_that_lost_everything_is_filled_by_the_next_publishing(filled, cluster, environment):
    with sqlite3.connect(environment.registry) as registry:
        registry.execute("DELETE FROM feature_services")
    with pytest.raises(DependencyUnavailable, match="request_v1"):
        OnlineFeatures.open(cluster.settings)
    publish_features(filled.features, cluster.settings)
    assert OnlineFeatures.open(cluster.settings).read("u1", None) is not None


def test_a_hanging_redis_is_given_up_within_the_request_and_read_again_later(cluster, server):
    online = OnlineFeatures.open(cluster.settings.model_copy(update={"serving": ServingSettings(features_timeout_ms=1_000)}))
    assert online.read("u1", None) is not None
    server.hang()
    try:
        with pytest.raises(DependencyUnavailable) as known_connection:
            online.read("u1", None)
        with pytest.raises(DependencyUnavailable) as new_connection:
            online.read("u1", None)
    finally:
        server.resume()
    assert isinstance(known_connection.value.__cause__, redis.TimeoutError)
    assert isinstance(new_connection.value.__cause__, redis.TimeoutError)
    assert online.read("u1", None) is not None


def test_a_redis_that_went_away_is_an_error_and_is_read_again_when_it_is_back(filled, cluster, tmp_path, monkeypatch):
    server = RedisServer(required_program("redis-server"), tmp_path, free_port())
    server.start()
    try:
        monkeypatch.setenv("FEAST_REDIS", f"127.0.0.1:{server.port}")
        materialize(cluster.settings, filled.manifest.data_end)
        online = OnlineFeatures.open(cluster.settings)
        before = online.read("u1", None)
        assert before is not None
        server.stop()
        for _ in range(2):
            with pytest.raises(DependencyUnavailable) as away:
                online.read("u1", None)
            assert isinstance(away.value.__cause__, redis.ConnectionError)
        server.start()
        assert online.read("u1", None) is None
        materialize(cluster.settings, filled.manifest.data_end)
        assert plain(online.read("u1", None)) == plain(before)
    finally:
        server.stop()


def test_materialising_without_redis_is_an_error_with_a_fix(filled, cluster, monkeypatch):
    monkeypatch.setenv("FEAST_REDIS", f"127.0.0.1:{free_port()}")
    with pytest.raises(DependencyUnavailable, match="online store"):
        materialize(cluster.settings, filled.manifest.data_end)


@pytest.mark.parametrize(("given", "reason"), [("", "unauthenticated|required"), (',password="another"', "invalid|WRONGPASS")])
def test_a_wrong_password_is_an_error_that_names_nobody(cluster, server, monkeypatch, given, reason):
    monkeypatch.setenv("FEAST_REDIS", f"127.0.0.1:{server.port}{given}")
    with pytest.raises(DependencyUnavailable, match=reason) as refused:
        OnlineFeatures.open(cluster.settings).read("user 1", None)
    assert "user 1" not in str(refused.value)


def test_redis_is_read_over_tls_and_only_with_the_right_authority(filled, cluster, tmp_path, monkeypatch):
    from tests.endcap.features.store.certificates import write_certificates

    write_certificates(tmp_path / "right")
    write_certificates(tmp_path / "wrong")
    port, right = free_port(), tmp_path / "right"
    certificates = ("--tls-cert-file", right / "tls.crt", "--tls-key-file", right / "tls.key", "--tls-ca-cert-file", right / "ca.crt")
    options = ("--port", "0", "--tls-port", str(port), *certificates, "--tls-auth-clients", "no")
    server = RedisServer(required_program("redis-server"), tmp_path, port, options)
    server.start()
    try:
        monkeypatch.setenv("FEAST_REDIS", f'127.0.0.1:{port},ssl=true,ssl_ca_certs="{right / "ca.crt"}"')
        materialize(cluster.settings, filled.manifest.data_end)
        assert OnlineFeatures.open(cluster.settings).read("u1", None) is not None
        monkeypatch.setenv("FEAST_REDIS", f'127.0.0.1:{port},ssl=true,ssl_ca_certs="{tmp_path / "wrong" / "ca.crt"}"')
        with pytest.raises(DependencyUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            OnlineFeatures.open(cluster.settings).read("u1", None)
    finally:
        server.stop()


def test_a_registry_that_does_not_answer_is_an_error_with_a_fix(cluster, monkeypatch):
    monkeypatch.setenv("FEAST_REGISTRY", f"postgresql+psycopg://endcap:secret@127.0.0.1:{free_port()}/feast")
    with pytest.raises(DependencyUnavailable, match="FEAST_REGISTRY") as away:
        open_store(cluster.settings)
    assert "secret" not in str(away.value)


@pytest.mark.parametrize("name", ["FEAST_REDIS", "FEAST_REGISTRY"])
def test_a_variable_that_is_not_set_is_named(cluster, monkeypatch, name):
    monkeypatch.delenv(name)
    with pytest.raises(InvalidInput, match=name):
        store_config(cluster.settings)
