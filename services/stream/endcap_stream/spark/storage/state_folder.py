"""The folder that driver and executors share: files that appear whole, and never change."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import pyarrow.fs as pafs

from endcap.core.errors import DependencyUnavailable


@dataclass(frozen=True, slots=True)
class StateFolder:
    """A folder in a file system that all of them reach.

    Attributes:
        address: an absolute path, or what pyarrow opens, such as s3://bucket/folder.
    """

    address: str

    def read(self, name: str) -> bytes | None:
        """A file's content; None where there is none.

        Raises:
            DependencyUnavailable: the file system refused.
        """
        files, root = self._opened()
        place = f"{root}/{name}"
        try:
            if files.get_file_info(place).type == pafs.FileType.NotFound:
                return None
            with files.open_input_file(place) as file:
                return bytes(file.read())
        except OSError as error:
            raise self._refused(name, error) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file, in the place of one that is there.

        Raises:
            DependencyUnavailable: the file system refused.
        """
        files, root = self._opened()
        place = f"{root}/{name}"
        # Where files are renamed a reader must not find half of one; an object store shows whole objects only.
        aside = f"{place}.{uuid4().hex}" if isinstance(files, pafs.LocalFileSystem) else place
        try:
            files.create_dir(place.rpartition("/")[0], recursive=True)
            with files.open_output_stream(aside) as file:
                file.write(content)
            if aside != place:
                files.move(aside, place)
        except OSError as error:
            raise self._refused(name, error) from error

    def names(self, folder: str) -> list[str]:
        """Names of the files below a folder, with the folder's; none where it is not there."""
        files, root = self._opened()
        chosen = pafs.FileSelector(f"{root}/{folder}", allow_not_found=True, recursive=True)
        return sorted(found.path.removeprefix(f"{root}/") for found in files.get_file_info(chosen) if found.type == pafs.FileType.File)

    def remove(self, name: str) -> None:
        """Remove a file; none is fine."""
        files, root = self._opened()
        with suppress(FileNotFoundError):
            files.delete_file(f"{root}/{name}")

    def _opened(self) -> tuple[pafs.FileSystem, str]:
        files, root = pafs.FileSystem.from_uri(self.address)
        return files, root.rstrip("/")

    def _refused(self, name: str, error: OSError) -> DependencyUnavailable:
        return DependencyUnavailable(
            f"the stream's state: {error}", field=f"{self.address}/{name}", fix="let driver and executors write there"
        )
