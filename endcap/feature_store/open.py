"""Opening the Feast store of a profile, and applying the feature repository to it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from endcap.errors import DependencyUnavailable, InvalidInput
from endcap.feature_store.quick_import import import_feast
from endcap.settings import Settings

if TYPE_CHECKING:
    from feast import FeatureStore

CONFIG_NAME = "feature_store.yaml"
_CONFIG_FILES = {"local": CONFIG_NAME, "cluster": "feature_store.cluster.yaml"}
RUN_FEAST = "from endcap.feature_store.quick_import import import_feast; import_feast(); from feast.cli.cli import cli; cli()"
"""Python code that is Feast's command line."""


def store_config(settings: Settings) -> dict[str, Any]:
    """The profile's feature_store.yaml as Feast takes it, with the paths of the local profile under `settings.home`.

    Raises:
        InvalidInput: the feature repository has no such file.
    """
    path = settings.feature_repo_dir / _CONFIG_FILES[settings.profile]
    try:
        config: dict[str, Any] = yaml.safe_load(os.path.expandvars(path.read_text()))
    except OSError as error:
        raise InvalidInput(
            f"no Feast configuration there: {error.strerror}",
            field="ENDCAP_FEATURE_REPO_DIR",
            value=str(path),
            fix="run in the repository's root, or set the variable to the feature repository's folder",
        ) from error
    if settings.profile == "local":
        config["registry"]["path"] = str(settings.feast_dir.absolute() / "registry.db")
        config["online_store"]["path"] = str(settings.feast_dir.absolute() / "online.db")
    return config


def open_store(settings: Settings) -> "FeatureStore":
    """The store of the profile. The registry is read once and then only on `refresh_registry`, never in the middle of a request.

    Raises:
        DependencyUnavailable: the feature repository has not been applied.
    """
    config = store_config(settings)
    if settings.profile == "local" and not Path(config["registry"]["path"]).exists():
        raise DependencyUnavailable("the feature store is empty", field=config["registry"]["path"], fix="fill it: endcap features")
    feast = import_feast()
    repo_config = feast.RepoConfig(**config)
    repo_config.repo_path = settings.feature_repo_dir.absolute()
    store: FeatureStore = feast.FeatureStore(config=repo_config)
    return store


def write_store_config(settings: Settings) -> Path:
    """Write the configuration for Feast's own command line under `settings.feast_dir`, and say where."""
    settings.feast_dir.mkdir(parents=True, exist_ok=True)
    path = settings.feast_dir.absolute() / CONFIG_NAME
    aside = path.with_name(f".{CONFIG_NAME}.{os.getpid()}")
    aside.write_text(yaml.safe_dump(store_config(settings), sort_keys=False))
    aside.replace(path)
    return path


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
