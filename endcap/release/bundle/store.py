"""The bundle store of a cluster: bundles where KServe finds them, `<store>/<version>/endcap/<version>/`, whole or not at all.

A store is a folder (a mounted volume) or an address that pyarrow opens, such as `s3://bucket/bundles`. Where the store can rename a
folder, a bundle is written aside and renamed; where it cannot, the manifest is written last, so a bundle without one is not a bundle.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.contracts.bundle import MANIFEST_NAME, BundleManifest
from endcap.core.errors import BundleInvalid, DependencyUnavailable, InvalidInput
from endcap.release.bundle.manifest import Bundle, open_bundle, read_manifest
from endcap.release.bundle.promotion import MODEL_FOLDER

FIELD = "ENDCAP_ROLLOUTS__BUNDLE_STORE"
_WITH_FOLDERS = frozenset({"local", "hdfs"})
"""Kinds of file systems that have folders and rename one in one step; the others are object stores."""
_CHUNK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class BundleStore:
    """A place for bundles.

    Attributes:
        files: a pyarrow file system.
        root: the store's folder in it.
    """

    files: Any
    root: str

    def folder_of(self, version: int) -> str:
        """What KServe mounts or downloads for a version: it holds `endcap/<version>/`."""
        return f"{self.root}/{version}"

    def put(self, bundle: Bundle) -> str:
        """Copy a bundle into the store unless the same one is there; returns its folder.

        Every file is read back and compared with the manifest before the bundle gets its name.

        Raises:
            BundleInvalid: the store gives back other bytes than were written, or has another bundle of this version.
            DependencyUnavailable: the store cannot be written or read.
        """
        folder = self.folder_of(bundle.manifest.version)
        with _store_errors(self.root):
            if not self._is_whole(folder, bundle):
                self._copy(bundle, folder)
        return folder

    def fetch(self, version: int, target: Path) -> Bundle:
        """Copy a version from the store into a folder, which is made, and check every file.

        Raises:
            BundleInvalid: the store has no such version, or what it gives is damaged or of another version of endcap.
            DependencyUnavailable: the store cannot be read.
        """
        self.fetch_file(version, MANIFEST_NAME, target)
        for name in read_manifest(target).files:
            self.fetch_file(version, name, target)
        return open_bundle(target)

    def fetch_file(self, version: int, name: str, folder: Path) -> None:
        """Copy one file of a version from the store, to the same name below a folder.

        Raises:
            BundleInvalid: the store does not have it.
            DependencyUnavailable: the store cannot be read.
        """
        source = f"{self.folder_of(version)}/{MODEL_FOLDER}/{version}/{name}"
        with _store_errors(self.root, "give"):
            self._fetch_file(source, folder / name)

    def _fetch_file(self, source: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.files.open_input_stream(source) as read, target.open("wb") as write:
                while chunk := read.read(_CHUNK_BYTES):
                    write.write(chunk)
        except FileNotFoundError:
            raise BundleInvalid("the store does not have the file", field=source, fix="see `endcap bundle store`") from None

    def _copy(self, bundle: Bundle, folder: str) -> None:
        aside = f"{self.root}/.{bundle.manifest.version}.aside"
        target = aside if self._has_folders else folder
        self._remove(target)
        self._write(bundle, _inside(target, bundle.manifest))
        if self._has_folders:
            self._remove(folder)
            self.files.move(aside, folder)

    @property
    def _has_folders(self) -> bool:
        return self.files.type_name in _WITH_FOLDERS

    def _write(self, bundle: Bundle, target: str) -> None:
        for name in bundle.manifest.files:
            self._write_file(bundle.path / name, f"{target}/{name}")
        for name, entry in bundle.manifest.files.items():
            if self._sha256(f"{target}/{name}") != entry.sha256:
                raise BundleInvalid("the store gave back other bytes than were written", field=f"{target}/{name}", fix="check the store")
        self._write_file(bundle.path / MANIFEST_NAME, f"{target}/{MANIFEST_NAME}")

    def _write_file(self, source: Path, target: str) -> None:
        if self._has_folders:
            self.files.create_dir(target.rpartition("/")[0], recursive=True)
        with source.open("rb") as read, self.files.open_output_stream(target) as write:
            while chunk := read.read(_CHUNK_BYTES):
                write.write(chunk)

    def _is_whole(self, folder: str, bundle: Bundle) -> bool:
        """Whether just this bundle is there; another one of its version may be served and is left alone."""
        target = _inside(folder, bundle.manifest)
        try:
            with self.files.open_input_stream(f"{target}/{MANIFEST_NAME}") as stream:
                there = stream.read()
        except FileNotFoundError:
            return False
        if there != (bundle.path / MANIFEST_NAME).read_bytes():
            raise BundleInvalid(
                "the store has another bundle of this version", field=target, fix="export the bundle again, or delete that one"
            )
        try:
            return all(self._sha256(f"{target}/{name}") == entry.sha256 for name, entry in bundle.manifest.files.items())
        except FileNotFoundError:
            return False

    def _sha256(self, path: str) -> str:
        digest = hashlib.sha256()
        with self.files.open_input_stream(path) as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()

    def _remove(self, folder: str) -> None:
        from pyarrow.fs import FileType

        if self.files.get_file_info(folder).type != FileType.NotFound:
            self.files.delete_dir(folder)


def open_bundle_store(address: str) -> BundleStore:
    """The store at a folder's path or at an address that names a file system.

    Raises:
        InvalidInput: pyarrow knows no such file system, or the address does not fit it.
    """
    from pyarrow import ArrowException
    from pyarrow.fs import FileSystem, LocalFileSystem

    if "://" not in address:
        return BundleStore(LocalFileSystem(), str(Path(address).absolute()))
    try:
        files, root = FileSystem.from_uri(address)
    except (ArrowException, OSError) as error:
        raise InvalidInput(
            f"not a place for bundles: {error}", field=FIELD, value=address, fix="use a folder, or s3://bucket/path"
        ) from error
    return BundleStore(files, root.rstrip("/"))


def _inside(folder: str, manifest: BundleManifest) -> str:
    return f"{folder}/{MODEL_FOLDER}/{manifest.version}"


@contextlib.contextmanager
def _store_errors(root: str, verb: str = "take") -> Iterator[None]:
    from pyarrow import ArrowException

    try:
        yield
    except (OSError, ArrowException) as error:
        raise DependencyUnavailable(
            f"the bundle store does not {verb} the bundle: {error}", field=FIELD, value=root, fix="check the address and the rights"
        ) from error
