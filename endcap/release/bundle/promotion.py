"""Promotion on a laptop: the model base path holds the one version that is served, as TensorFlow Serving reads it."""

import shutil
from pathlib import Path

from endcap.core.errors import BundleInvalid
from endcap.core.files import replacing_folder
from endcap.release.bundle.manifest import Bundle, open_bundle

MODEL_FOLDER = "endcap"


def model_base_path(served_dir: Path) -> Path:
    """What TensorFlow Serving calls `model_base_path`: its children are versions."""
    return served_dir / MODEL_FOLDER


def promote_bundle(bundle: Bundle, served_dir: Path) -> Path:
    """Make a bundle the one that is served; servers that watch the folder take it up.

    The new version is complete under its name before the old one goes, so a server that looks at any moment finds a whole version.
    """
    base = model_base_path(served_dir)
    target = base / str(bundle.manifest.version)
    if not target.exists():
        with replacing_folder(target) as aside:
            shutil.copytree(bundle.path, aside, dirs_exist_ok=True)
    for other in _versions(base):
        if other != target:
            shutil.rmtree(other)
    return target


def served_bundle(served_dir: Path) -> Bundle:
    """The bundle being served.

    Raises:
        BundleInvalid: nothing was promoted yet, or the bundle is damaged.
    """
    versions = _versions(model_base_path(served_dir))
    if not versions:
        raise BundleInvalid(
            "no bundle is promoted", field=str(served_dir), fix="run `endcap pipeline run`, or `endcap bundle promote VERSION`"
        )
    return open_bundle(versions[-1])


def served_version(served_dir: Path) -> int | None:
    """The version being served, without a look at its files; None before the first promotion."""
    versions = _versions(model_base_path(served_dir))
    return int(versions[-1].name) if versions else None


def _versions(base: Path) -> list[Path]:
    if not base.is_dir():
        return []
    return sorted((path for path in base.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
