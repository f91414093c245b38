"""A folder in any file system that Spark reaches, by Hadoop's own client, so that addresses and credentials are Spark's."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkFolder:
    """A local folder, or an address such as s3a://bucket/folder."""

    def __init__(self, session: "SparkSession", address: str) -> None:
        self._jvm: Any = session._jvm
        folder = self._jvm.org.apache.hadoop.fs.Path(address)
        self._files = folder.getFileSystem(session._jsc.hadoopConfiguration())
        self._folder = self._files.makeQualified(folder)

    def path(self, name: str) -> str:
        """The full address of what lies in the folder under this name."""
        return str(self._inside(name).toString())

    def has(self, name: str) -> bool:
        return bool(self._files.exists(self._inside(name)))

    def read_text(self, name: str) -> str:
        """A small UTF-8 file's content; empty when there is none."""
        if not self.has(name):
            return ""
        stream = self._files.open(self._inside(name))
        try:
            return str(self._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write_text(self, name: str, text: str) -> None:
        """Write a small file, replacing what is there."""
        stream = self._files.create(self._inside(name), True)
        try:
            stream.write(text.encode())
        finally:
            stream.close()

    def remove(self, name: str) -> None:
        """Remove a file; none is fine."""
        self._files.delete(self._inside(name), False)

    def _inside(self, name: str) -> Any:
        return self._jvm.org.apache.hadoop.fs.Path(self._folder, name)
