"""Sealing a bundle and opening it again: a bundle with a missing or changed file never gets as far as a model server."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from endcap.contracts.bundle import FORMAT, MANIFEST_NAME, OPTIONAL_TABLES, REQUIRED_FILES, BundleManifest, FeatureColumns, FileEntry
from endcap.core.errors import BundleInvalid
from endcap.features import columns
from endcap.release.bundle.verification import sha256_of, verify_files


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk whose files were checked."""

    path: Path
    manifest: BundleManifest


def present_feature_columns() -> FeatureColumns:
    """The feature columns of this version of the code."""
    return FeatureColumns(
        user_numeric=list(columns.USER_NUMERIC),
        user_categorical=list(columns.USER_CATEGORICAL),
        item_numeric=list(columns.ITEM_NUMERIC),
        pair_numeric=list(columns.PAIR_NUMERIC),
        context=list(columns.CONTEXT),
        history_length=columns.HISTORY_LENGTH,
    )


def seal_bundle(folder: Path, **fields: Any) -> Bundle:
    """Write the manifest of a folder whose other files are all there.

    Args:
        folder: the bundle, not yet visible under its final name.
        fields: every field of BundleManifest but `files` and `features`.

    Raises:
        BundleInvalid: a required file is missing.
    """
    _require_files(folder)
    files = {str(path.relative_to(folder)): _file_entry(path) for path in _content(folder)}
    manifest = BundleManifest(features=present_feature_columns(), files=files, **fields)
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return Bundle(folder, manifest)


def open_bundle(folder: Path) -> Bundle:
    """Open a bundle and check every file against its manifest.

    Raises:
        BundleInvalid: no manifest, a file missing or changed, or features that this version of the code does not make.
    """
    manifest = read_known_layout(folder)
    _require_files(folder)
    verify_files(folder, manifest.files)
    if manifest.features != present_feature_columns():
        raise BundleInvalid(
            "the bundle was trained on other feature columns than this version of endcap computes",
            field=str(folder),
            fix="run the pipeline again, or use the version of endcap that made it",
            value=manifest.endcap_version,
        )
    return Bundle(folder, manifest)


def read_known_layout(folder: Path) -> BundleManifest:
    """The manifest of a bundle whose files lie where this version of the code looks for them.

    Raises:
        BundleInvalid: no manifest, or another layout.
    """
    manifest = read_manifest(folder)
    if manifest.format != FORMAT:
        raise BundleInvalid(
            "the bundle has another layout than this version of endcap reads",
            field=str(folder),
            value=manifest.format,
            fix="run the pipeline again, or use the version of endcap that made it",
        )
    return manifest


def list_bundles(bundles_dir: Path) -> list[BundleManifest]:
    """Manifests of all bundles in a folder, newest first; folders without a manifest are not bundles."""
    if not bundles_dir.is_dir():
        return []
    found = [read_manifest(path.parent) for path in bundles_dir.glob(f"*/{MANIFEST_NAME}") if path.parent.name.isdigit()]
    return sorted(found, key=lambda manifest: manifest.version, reverse=True)


def read_manifest(folder: Path) -> BundleManifest:
    """The manifest of a bundle, its files not looked at.

    Raises:
        BundleInvalid: there is none, or it does not fit its contract.
    """
    path = folder / MANIFEST_NAME
    try:
        return BundleManifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BundleInvalid("there is no bundle here", field=str(folder), fix="see `endcap bundle list`") from None
    except (ValidationError, json.JSONDecodeError) as error:
        raise BundleInvalid(f"the manifest does not fit its contract: {error}", field=str(path), fix="export the bundle again") from error


def _require_files(folder: Path) -> None:
    optional = OPTIONAL_TABLES if any((folder / name).is_file() for name in OPTIONAL_TABLES) else ()
    for name in (*REQUIRED_FILES, *optional):
        if not (folder / name).is_file():
            raise BundleInvalid("the file is missing", field=str(folder / name), fix="export the bundle again, or promote another version")


def _content(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST_NAME)


def _file_entry(path: Path) -> FileEntry:
    return FileEntry(size_bytes=path.stat().st_size, sha256=sha256_of(path))
