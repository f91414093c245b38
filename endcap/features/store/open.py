"""Opening the Feast store of a profile, and applying the feature repository to it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.features.store.config import registry_file, repository_folder, store_config, write_store_config
from endcap.features.store.names import SESSION_LIFE_SECONDS
from endcap.features.store.online_file import let_readers_go_on
from endcap.features.store.quick_import import import_feast

if TYPE_CHECKING:
    from feast import FeatureStore


def with_waits(address: str, seconds: float) -> str:
    """The address with an upper limit for each wait and no second attempts, unless it says otherwise itself.

    Redis' client waits without a limit, and after a failure tries thrice more with pauses of seconds: longer than any request may take.

    Args:
        address: for example `redis:6379,password="secret",ssl=true`.
        seconds: longest wait for a connection, and for each answer.
    """
    given = {part.split("=", 1)[0].strip() for part in address.split(",") if "=" in part}
    # `retry=null` is None to the client, which then fails at once; what went wrong is told to the caller, who knows what to do without.
    waits = {"socket_timeout": f"{seconds:g}", "socket_connect_timeout": f"{seconds:g}", "retry": "null"}
    return ",".join([address, *(f"{name}={value}" for name, value in waits.items() if name not in given)])


RUN_FEAST = "from endcap.features.store.quick_import import import_feast; import_feast(); from feast.cli.cli import cli; cli()"
"""Python code that is Feast's command line."""

NO_OFFLINE_STORE = "endcap.features.store.no_offline_store.NoOfflineStore"
WAIT_SECONDS = 30.0
"""Longest wait for a connection to Redis, and for each of its answers, outside of requests."""


def open_store(settings: Settings) -> "FeatureStore":
    """The store of the profile, for pipelines. The registry is read once and then only on `refresh_registry`.

    Raises:
        InvalidInput: the profile's configuration is missing, or a variable that it names.
        DependencyUnavailable: the feature repository has not been applied, or the registry does not answer.
    """
    config = store_config(settings)
    _limit_redis(config["online_store"], WAIT_SECONDS)
    return _opened(config, settings)


def open_for_requests(settings: Settings) -> "FeatureStore":
    """The store as requests read it: what is online, and a Redis that hangs holds a read for the features' share of a request, not longer.

    Raises:
        InvalidInput: as `open_store`.
        DependencyUnavailable: as `open_store`.
    """
    config = store_config(settings) | {"offline_store": {"type": NO_OFFLINE_STORE}}
    _limit_redis(config["online_store"], settings.serving.features_timeout_ms / 1000)
    return _opened(config, settings)


def open_for_sessions(settings: Settings) -> "FeatureStore":
    """The store to push sessions to. Redis forgets them as the session view does: without that, each visit would stay in its memory.

    Raises:
        InvalidInput: as `open_store`.
        DependencyUnavailable: as `open_store`.
    """
    config = store_config(settings) | {"offline_store": {"type": NO_OFFLINE_STORE}}
    _limit_redis(config["online_store"], WAIT_SECONDS, keep_seconds=SESSION_LIFE_SECONDS)
    return _opened(config, settings)


def open_for_recent_items(settings: Settings) -> "FeatureStore":
    """The store to write recent items to. They stay: Redis would forget the features of the same people along with them.

    Raises:
        InvalidInput: as `open_store`.
        DependencyUnavailable: as `open_store`.
    """
    config = store_config(settings) | {"offline_store": {"type": NO_OFFLINE_STORE}}
    _limit_redis(config["online_store"], WAIT_SECONDS)
    return _opened(config, settings)


def _limit_redis(online_store: dict[str, Any], wait_seconds: float, keep_seconds: int | None = None) -> None:
    """How long an answer is waited for, and how long what is written is kept; None for ever."""
    if online_store["type"] == "redis":
        online_store["connection_string"] = with_waits(online_store["connection_string"], wait_seconds)
        online_store["key_ttl_seconds"] = keep_seconds


def _opened(config: dict[str, Any], settings: Settings) -> "FeatureStore":
    file = registry_file(config)
    if file is not None and not file.exists():
        raise DependencyUnavailable("the feature store is empty", field=str(file), fix="fill it: endcap features")
    if config["online_store"]["type"] == "sqlite":
        let_readers_go_on(Path(config["online_store"]["path"]))
    feast = import_feast()
    repo_config = feast.RepoConfig(**config)
    repo_config.repo_path = repository_folder(settings).absolute()
    try:
        store: FeatureStore = feast.FeatureStore(config=repo_config)
        # Else Feast reads it later, where a registry that is away looks like one that lacks definitions.
        _ = store.registry
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DependencyUnavailable(
            f"the registry cannot be read: {reason}", field="feature store", fix="check FEAST_REGISTRY, and that it answers"
        ) from error
    return store


def apply_repo(settings: Settings) -> None:
    """Register the feature repository's definitions: `feast apply`.

    A process of its own, since Feast changes the working folder and imports the repository's modules under top-level names.

    Raises:
        DependencyUnavailable: Feast refused.
    """
    config = write_store_config(settings)
    repository = repository_folder(settings).absolute()
    arguments = ["--chdir", str(repository), "--feature-store-yaml", str(config), "apply"]
    environment = {**os.environ, "ENDCAP_HOME": str(settings.home.absolute()), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", RUN_FEAST, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise DependencyUnavailable(
            f"feast apply failed: {lines[-1]}", field=str(repository), fix="build the features first: endcap features"
        )
