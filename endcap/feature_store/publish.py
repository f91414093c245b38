"""Making feature tables Feast's offline store."""

import shutil
import tempfile
from pathlib import Path

from endcap.errors import DataRejected
from endcap.feature_store.open import apply_repo
from endcap.feature_store.push import ensure_session_table
from endcap.features.folder import replace_folder
from endcap.features.manifest import MANIFEST_NAME, read_manifest
from endcap.features.names import FEATURE_TABLES
from endcap.settings import Settings


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
    ensure_session_table(settings)
    apply_repo(settings)
    return manifest.fingerprint


def _published_fingerprint(target: Path) -> str | None:
    if not all((target / f"{name}.parquet").exists() for name in FEATURE_TABLES):
        return None
    try:
        return read_manifest(target).fingerprint
    except DataRejected:
        return None


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name in (*(f"{table}.parquet" for table in FEATURE_TABLES), MANIFEST_NAME):
            if not (source / name).exists():
                raise DataRejected("the feature folder lacks a file", field=str(source / name), fix="build it again: endcap features")
            shutil.copyfile(source / name, aside / name)
        aside.chmod(0o755)
        replace_folder(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
