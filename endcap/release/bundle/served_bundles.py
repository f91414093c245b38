"""The bundle that is served, for parts that read its tables and serve nothing: the promoted folder of a laptop, or a cluster's store."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from endcap.contracts.bundle import MANIFEST_NAME, BundleManifest
from endcap.core.errors import BundleInvalid, InvalidInput
from endcap.core.settings import Settings
from endcap.release.bundle.manifest import read_known_layout
from endcap.release.bundle.promotion import model_base_path, served_version
from endcap.release.bundle.served_pointer import read_pointer
from endcap.release.bundle.store import FIELD, BundleStore, open_bundle_store
from endcap.release.bundle.verification import verify_files


class ServedBundles(Protocol):
    """Asked at each look, so that another version is taken up without a restart."""

    def version(self) -> int | None:
        """What is served; None before the first bundle is.

        Raises:
            DependencyUnavailable: it cannot be known now.
            BundleInvalid: what says it is damaged.
        """

    def manifest(self, version: int) -> BundleManifest:
        """Of a version.

        Raises:
            BundleInvalid: there is no such bundle, or it is damaged.
            DependencyUnavailable: the store does not answer.
        """

    def table(self, version: int, name: str) -> AbstractContextManager[Path]:
        """A checked file of a version's folder `tables`, for as long as the block lasts.

        Raises:
            BundleInvalid: there is no such file, or it is not the one that was exported.
            DependencyUnavailable: the store does not answer.
        """


class PromotedBundles:
    """The one version that a laptop's served folder holds.

    Args:
        served_dir: where bundles are promoted.
    """

    def __init__(self, served_dir: Path) -> None:
        self._served_dir = served_dir

    def version(self) -> int | None:
        return served_version(self._served_dir)

    def manifest(self, version: int) -> BundleManifest:
        return read_known_layout(self._folder(version))

    @contextmanager
    def table(self, version: int, name: str) -> Iterator[Path]:
        folder = self._folder(version)
        yield _checked(folder, self.manifest(version), name)

    def _folder(self, version: int) -> Path:
        return model_base_path(self._served_dir) / str(version)


class StoredBundles:
    """Bundles of a store, of which a pointer names the served one. What is read is copied aside: a store need not be a folder.

    Args:
        pointer: the file that names it.
        store: where bundles are.
    """

    def __init__(self, pointer: Path, store: BundleStore) -> None:
        self._pointer, self._store = pointer, store

    def version(self) -> int | None:
        return read_pointer(self._pointer).version

    def manifest(self, version: int) -> BundleManifest:
        with self._copied(version, MANIFEST_NAME) as folder:
            return read_known_layout(folder)

    @contextmanager
    def table(self, version: int, name: str) -> Iterator[Path]:
        with self._copied(version, MANIFEST_NAME, f"tables/{name}") as folder:
            yield _checked(folder, read_known_layout(folder), name)

    @contextmanager
    def _copied(self, version: int, *names: str) -> Iterator[Path]:
        aside = Path(tempfile.mkdtemp(prefix="endcap-served-"))
        try:
            for name in names:
                self._store.fetch_file(version, name, aside / str(version))
            yield aside / str(version)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def open_served_bundles(settings: Settings) -> ServedBundles:
    """Where the settings say that the served bundle is: a pointer into the store, else the folder of promoted ones.

    Raises:
        InvalidInput: there is a pointer, and no store that it points into; or the store's address cannot be used.
    """
    pointer = settings.rollouts.served_file
    if pointer is None:
        return PromotedBundles(settings.served_dir)
    if not settings.rollouts.bundle_store:
        raise InvalidInput("ENDCAP_ROLLOUTS__SERVED_FILE names a bundle of it", field=FIELD, fix="give the folder or address of the store")
    return StoredBundles(pointer, open_bundle_store(settings.rollouts.bundle_store))


def _checked(folder: Path, manifest: BundleManifest, name: str) -> Path:
    entry = manifest.files.get(f"tables/{name}")
    if entry is None:
        raise BundleInvalid("the bundle has no such table", field=f"tables/{name}", value=manifest.version, fix="export the bundle again")
    verify_files(folder, {f"tables/{name}": entry})
    return folder / "tables" / name
