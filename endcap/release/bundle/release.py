"""Promotion as a whole: index, alias, served folder and registry follow one bundle, forward or back."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from endcap.contracts.bundle import BundleManifest
from endcap.core.errors import InvalidInput
from endcap.core.files import link_or_copy, replacing_folder
from endcap.core.settings import Settings
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.promotion import promote_bundle
from endcap.release.bundle.release_record import ReleaseRecord, forget_release, read_release, write_release
from endcap.release.index.bundle_index import IndexReport, index_bundle, point_alias
from endcap.release.tracking import Tracking


@dataclass(frozen=True)
class Release:
    """What a promotion did.

    Attributes:
        served_from: the folder that model servers read.
        pruned: collections that were dropped because newer ones fill the quota.
    """

    version: int
    served_from: Path
    index: IndexReport
    pruned: list[str]


def install_bundle(source: Path, bundles_dir: Path) -> Bundle:
    """Put a bundle beside the others under its version, whole or not at all; files are linked where that is possible.

    Raises:
        BundleInvalid: the bundle is damaged.
    """
    bundle = open_bundle(source)
    target = bundles_dir / str(bundle.manifest.version)
    if not target.exists():
        with replacing_folder(target) as aside:
            shutil.copytree(source, aside, copy_function=link_or_copy, dirs_exist_ok=True)
    return Bundle(target, bundle.manifest)


def release_bundle(bundle: Bundle, settings: Settings) -> Release:
    """Make an installed bundle the one that is served and the champion; rolling back is releasing an older one.

    Milvus comes first: whatever fails there leaves the served bundle as it is.

    Raises:
        InvalidInput: the served folder cannot be written, as KServe's mount cannot.
        DependencyUnavailable: Milvus or MLflow does not answer.
        BundleInvalid: the index finds too few of the exact nearest items.
    """
    _require_writable(settings.served_dir)
    tracking = Tracking(settings)
    forget_release(settings.served_dir)
    report = index_bundle(bundle, settings.milvus, limit=bundle.manifest.quotas["two_tower_quota"], seed=settings.seed)
    pruned = point_alias(settings.milvus, report.collection)
    served_from = promote_bundle(bundle, settings.served_dir)
    tracking.make_champion(bundle.manifest, bundle.path)
    write_release(settings.served_dir, _record(bundle.manifest))
    return Release(bundle.manifest.version, served_from, report, pruned)


def is_released(bundle: Bundle, settings: Settings) -> bool:
    """Whether the last release was of this very bundle and reached every part."""
    return read_release(settings.served_dir) == _record(bundle.manifest)


def _require_writable(served_dir: Path) -> None:
    """Checked before anything moves: an alias without its bundle would be half a promotion."""
    if served_dir.is_dir() and not os.access(served_dir, os.W_OK):
        raise InvalidInput(
            "the served folder is read-only here",
            field="ENDCAP_SERVING__BUNDLE_DIR",
            value=str(served_dir),
            fix="unset it to promote on this machine; on a cluster a Rollout changes what is served: endcap rollout",
        )


def _record(manifest: BundleManifest) -> ReleaseRecord:
    return ReleaseRecord(
        version=manifest.version,
        collection=manifest.collection,
        run_id=manifest.run_id,
        dataset_fingerprint=manifest.dataset_fingerprint,
        metrics=manifest.metrics,
    )
