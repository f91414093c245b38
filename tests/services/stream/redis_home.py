"""A home of the cluster profile: Redis configured as the chart does, Feast's registry in a database, keys in files."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from endcap.core.key_files import new_key
from endcap.core.ports import free_port
from endcap.core.settings import ServingSettings, Settings
from endcap.features.manifest import read_manifest
from endcap.features.store.materialize import materialize
from endcap.features.store.publish import publish_features
from tests.charts.chart import one, program, render
from tests.debian_programs import required_program
from tests.endcap.features.store.redis_server import RedisServer
from tests.services.collector.running_collector import key_file

PASSWORD = "endcap-of-tests"
KEY, SHOWN_KEY = "key-of-a-server", "key-of-the-transformer"
"""Of who sends events, and of who says what was shown."""
KEY_FILES = ("ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE", "ENDCAP_COLLECTOR__PIXEL_KEY_FILE")


def charts_redis(folder: Path, *, is_kept: bool) -> RedisServer:
    """A server with the chart's own configuration, and a password as its pod adds one.

    Args:
        folder: for its data; it is emptied by whoever wants what an `emptyDir` gives.
        is_kept: the value `redis.persistence.enabled`.
    """
    folder.mkdir()
    values = {
        "redis": {"enabled": True, "host": "", "auth": {"secretName": "redis"}, "maxMemory": "256mb", "persistence": {"enabled": is_kept}}
    }
    lines = one(render(folder, values=values), "ConfigMap", "endcap-redis")["data"]["redis.conf"]
    assert f"appendonly {'yes' if is_kept else 'no'}" in lines
    file = folder / "redis.conf"
    # The pod's folder; here it is given on the command line.
    file.write_text(lines.replace("dir /data\n", "") + f'requirepass "{PASSWORD}"\n')
    return RedisServer(required_program("redis-server"), folder, free_port(), configuration=file)


@contextmanager
def running_charts_redis(folder: Path, *, is_kept: bool) -> Iterator[RedisServer]:
    """`charts_redis` while the block runs; where there is no Helm to render the chart the test is skipped."""
    if program("helm") is None:
        pytest.skip("there is no helm: run `make setup`")
    server = charts_redis(folder, is_kept=is_kept)
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True, slots=True)
class RedisHome:
    """A home whose features are in Redis.

    Attributes:
        environment: of every process that works on it.
        settings: the same for this process, which needs FEAST_REDIS and FEAST_REGISTRY of `environment` in its own.
    """

    environment: Mapping[str, str]
    settings: Settings


def redis_variables(folder: Path, port: int) -> dict[str, str]:
    """What the cluster profile needs in the environment to find Redis and the registry.

    Args:
        folder: for the registry.
        port: of Redis.
    """
    return {
        "FEAST_REDIS": f'127.0.0.1:{port},password="{PASSWORD}"',
        "FEAST_REGISTRY": f"sqlite:///{folder / 'registry.db'}",
    }


def fill(features: Path, folder: Path, variables: Mapping[str, str]) -> RedisHome:
    """Publish and materialise, as a pipeline does.

    Args:
        features: tables.
        folder: for the home.
        variables: `redis_variables`, which are in this process's environment too.
    """
    home = folder / "home"
    settings = Settings(profile="cluster", home=home, serving=ServingSettings(features_timeout_ms=20_000))
    publish_features(features, settings)
    materialize(settings, read_manifest(features).data_end)
    keys = folder / "keys"
    keys.write_text(new_key() + "\n")
    unhurried = {"events_per_second": 1e9, "burst": 1_000_000_000}
    scopes = {KEY: {"name": "shop", "scope": "server"}, SHOWN_KEY: {"name": "transformer", "scope": "transformer"}}
    (folder / "keys.yaml").write_text(key_file({key: {**entry, **unhurried} for key, entry in scopes.items()}))
    given = {"ENDCAP_PROFILE": "cluster", "ENDCAP_CONSENT__PERSONALISATION": "true", "ENDCAP_CONSENT__ANALYTICS": "true"}
    return RedisHome(
        {**variables, **given, **dict.fromkeys(KEY_FILES, str(keys)), "ENDCAP_COLLECTOR__KEYS_FILE": str(folder / "keys.yaml")}, settings
    )


def home_on(redis: RedisServer, features: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> RedisHome:
    """`fill` a home on a server; this process finds its store too.

    Args:
        redis: the server.
        features: tables.
        folder: for registry and home.
        monkeypatch: of the test, for this process's environment.
    """
    variables = redis_variables(folder, redis.port)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return fill(features, folder, variables)
