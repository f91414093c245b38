"""Making feature tables Feast's offline store."""

import hashlib
import shutil
from pathlib import Path

import endcap
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_folder
from endcap.core.settings import Settings
from endcap.features.manifest import MANIFEST_NAME, read_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.features.store.config import registry_file, repository_folder, store_config
from endcap.features.store.open import apply_repo
from endcap.features.store.packed_tables import ensure_packed_tables
from endcap.features.store.push import ensure_session_table
from endcap.features.store.recent_items import ensure_recent_table

APPLIED_NAME = "applied.sha256"


def publish_features(features_dir: Path, settings: Settings) -> str:
    """Copy feature tables to `settings.features_dir`, unless they are there already, and apply the feature repository.

    Args:
        features_dir: a folder made by `build_feature_tables`.
        settings: where the offline store and the registry are.

    Returns:
        The features' fingerprint.

    Raises:
        DataRejected: the folder lacks a table.
        DependencyUnavailable: Feast refused the definitions.
    """
    manifest = read_manifest(features_dir)
    target = settings.features_dir
    if features_dir.resolve() != target.resolve() and manifest.fingerprint != _published_fingerprint(target):
        _copy(features_dir, target)
    _apply_once(settings)
    return manifest.fingerprint


def _apply_once(settings: Settings) -> None:
    """Apply the repository unless just these definitions were applied here before; Feast takes seconds to find that nothing changed.

    The record lies beside a registry that is a file, and goes with it. To a database they are applied each time, whatever became of it.
    """
    file = registry_file(store_config(settings))
    record = file.with_name(APPLIED_NAME) if file is not None and file.exists() else None
    definitions = _definitions_digest(settings)
    if record is not None and record.is_file() and record.read_text(encoding="utf-8") == definitions:
        return
    ensure_session_table(settings)
    ensure_recent_table(settings)
    ensure_packed_tables(settings)
    apply_repo(settings)
    if file is not None:
        file.with_name(APPLIED_NAME).write_text(definitions, encoding="utf-8")


def _definitions_digest(settings: Settings) -> str:
    """SHA-256 over the feature repository and the library's columns and names that it is derived from."""
    digest = hashlib.sha256(str(settings.home.absolute()).encode())
    library = Path(endcap.__path__[0])
    for folder in (repository_folder(settings), library / "features", library / "features" / "store"):
        for path in sorted((*folder.glob("*.py"), *folder.glob("*.yaml"))):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _published_fingerprint(target: Path) -> str | None:
    if not all((target / f"{name}.parquet").exists() for name in FEATURE_TABLES):
        return None
    try:
        return read_manifest(target).fingerprint
    except DataRejected:
        return None


def _copy(source: Path, target: Path) -> None:
    with replacing_folder(target) as aside:
        for name in (*(f"{table}.parquet" for table in FEATURE_TABLES), MANIFEST_NAME):
            if not (source / name).exists():
                raise DataRejected("the feature folder lacks a file", field=str(source / name), fix="build it again: endcap features")
            shutil.copyfile(source / name, aside / name)
