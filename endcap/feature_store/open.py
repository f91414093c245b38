"""Opening the Feast store of a profile, and applying the feature repository to it."""

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from endcap.errors import DependencyUnavailable
from endcap.feature_store.config import registry_file, store_config, write_store_config
from endcap.feature_store.quick_import import import_feast
from endcap.feature_store.redis_address import with_waits
from endcap.settings import Settings

if TYPE_CHECKING:
    from feast import FeatureStore

RUN_FEAST = "from endcap.feature_store.quick_import import import_feast; import_feast(); from feast.cli.cli import cli; cli()"
"""Python code that is Feast's command line."""

WAIT_SECONDS = 30.0
"""Longest wait for Redis outside of requests."""


def open_store(settings: Settings, wait_seconds: float = WAIT_SECONDS, keep_seconds: int | None = None) -> "FeatureStore":
    """The store of the profile. The registry is read once and then only on `refresh_registry`, never in the middle of a request.

    Args:
        settings: the profile, and where its files are.
        wait_seconds: longest wait for a connection to Redis, and for each of its answers.
        keep_seconds: how long Redis keeps what this store writes; None for ever.

    Raises:
        InvalidInput: the profile's configuration is missing, or a variable that it names.
        DependencyUnavailable: the feature repository has not been applied, or the registry does not answer.
    """
    config = store_config(settings)
    file = registry_file(config)
    if file is not None and not file.exists():
        raise DependencyUnavailable("the feature store is empty", field=str(file), fix="fill it: endcap features")
    _bound_redis(config["online_store"], wait_seconds, keep_seconds)
    feast = import_feast()
    repo_config = feast.RepoConfig(**config)
    repo_config.repo_path = settings.feature_repo_dir.absolute()
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
    arguments = ["--chdir", str(settings.feature_repo_dir.absolute()), "--feature-store-yaml", str(config), "apply"]
    environment = {**os.environ, "ENDCAP_HOME": str(settings.home.absolute()), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "-c", RUN_FEAST, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise DependencyUnavailable(
            f"feast apply failed: {lines[-1]}", field=str(settings.feature_repo_dir), fix="build the features first: endcap features"
        )


def _bound_redis(online_store: dict[str, Any], wait_seconds: float, keep_seconds: int | None) -> None:
    if online_store["type"] == "redis":
        online_store["connection_string"] = with_waits(online_store["connection_string"], wait_seconds)
        online_store["key_ttl_seconds"] = keep_seconds
