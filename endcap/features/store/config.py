"""A profile's Feast configuration: its file in the feature repository, with the environment's variables and the local paths filled in."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from endcap.core.errors import InvalidInput
from endcap.core.files import replace_text
from endcap.core.settings import Settings

CONFIG_NAME = "feature_store.yaml"
REPOSITORY_PACKAGE = "endcap_feature_repo"
_CONFIG_FILES = {"local": CONFIG_NAME, "cluster": "feature_store.cluster.yaml"}
_UNFILLED = re.compile(r"\$\{(\w+)\}")


def store_config(settings: Settings) -> dict[str, Any]:
    """The profile's configuration as Feast takes it; files of this machine lie under `settings.home`.

    Raises:
        InvalidInput: the feature repository has no such file, or the environment lacks a variable that it names.
    """
    config: dict[str, Any] = _filled_in(yaml.safe_load(_text(settings)))
    _put_under_home(config, settings)
    return config


def write_store_config(settings: Settings) -> Path:
    """Write the configuration for Feast's own command line under `settings.feast_dir`, and say where.

    Variables stay variables, which Feast fills in itself: no password is written down.

    Raises:
        InvalidInput: as `store_config`.
    """
    store_config(settings)
    text = _text(settings)
    config = yaml.safe_load(text)
    if _put_under_home(config, settings):
        text = yaml.safe_dump(config, sort_keys=False)
    path = settings.feast_dir.absolute() / CONFIG_NAME
    replace_text(path, text)
    return path


def registry_file(config: dict[str, Any]) -> Path | None:
    """The registry, when it is a file of this machine."""
    registry = config["registry"]
    return Path(registry["path"]) if registry["registry_type"] == "file" else None


def repository_folder(settings: Settings) -> Path:
    """The Feast repository's folder: the one that is set, else that of the installed package.

    Raises:
        InvalidInput: none is set, and the package is not installed.
    """
    if settings.feature_repo_dir is not None:
        return settings.feature_repo_dir
    package = find_spec(REPOSITORY_PACKAGE)
    if package is None or package.origin is None:
        raise InvalidInput(
            f"no Feast repository: the package {REPOSITORY_PACKAGE} is not installed",
            field="ENDCAP_FEATURE_REPO_DIR",
            fix="install endcap-feature-repo, or set the variable to the repository's folder",
        )
    return Path(package.origin).parent


def _text(settings: Settings) -> str:
    path = repository_folder(settings) / _CONFIG_FILES[settings.profile]
    try:
        return path.read_text()
    except OSError as error:
        raise InvalidInput(
            f"no Feast configuration there: {error.strerror}",
            field="ENDCAP_FEATURE_REPO_DIR",
            value=str(path),
            fix="set the variable to the feature repository's folder, or leave it out for the one that endcap brings",
        ) from error


def _filled_in(part: Any) -> Any:
    """The variables of each text, filled in once the document is read: a password may hold what YAML gives a meaning to."""
    if isinstance(part, dict):
        return {name: _filled_in(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_filled_in(value) for value in part]
    return _UNFILLED.sub(_variable, part) if isinstance(part, str) else part


def _variable(found: re.Match[str]) -> str:
    value = os.environ.get(found[1])
    if not value:
        raise InvalidInput("the Feast configuration needs it", field=found[1], fix="set it; feature_store.cluster.yaml says to what")
    return value


def _put_under_home(config: dict[str, Any], settings: Settings) -> bool:
    """Place the registry and the online store under `settings.home` when they are files; whether one was."""
    folder = settings.feast_dir.absolute()
    is_file = {"registry": config["registry"]["registry_type"] == "file", "online_store": config["online_store"]["type"] == "sqlite"}
    names = {"registry": "registry.db", "online_store": "online.db"}
    for section in (section for section, local in is_file.items() if local):
        config[section]["path"] = str(folder / names[section])
    return any(is_file.values())
