"""Several tables in one run of bytes: what executors hand to each other and keep in files."""

import io
from collections.abc import Iterable, Mapping

import polars as pl

_SCHEMA = pl.Schema({"name": pl.String(), "content": pl.Binary()})


def packed(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Tables by name as bytes; those without rows are left out."""
    written = [(str(name), _bytes_of(table)) for name, table in tables.items() if len(table)]
    return _bytes_of(pl.DataFrame(written, schema=_SCHEMA, orient="row"))


class Pack:
    """Tables by name; each is read when it is asked for.

    Args:
        content: from `packed`.
    """

    def __init__(self, content: bytes) -> None:
        self._tables: dict[str, bytes] = dict(pl.read_ipc_stream(io.BytesIO(content)).iter_rows())

    @property
    def names(self) -> Iterable[str]:
        """Of all tables that have rows."""
        return self._tables.keys()

    def table(self, name: str) -> pl.DataFrame | None:
        """A table; None where it has no rows."""
        content = self._tables.get(name)
        return None if content is None else pl.read_ipc_stream(io.BytesIO(content))


def joined(packs: Iterable[Pack], name: str) -> pl.DataFrame | None:
    """The rows of a table of several packs, in their order; None where none has any."""
    found = [table for table in (pack.table(name) for pack in packs) if table is not None]
    return pl.concat(found) if found else None


def _bytes_of(table: pl.DataFrame) -> bytes:
    written = io.BytesIO()
    table.write_ipc_stream(written, compression="lz4")
    return written.getvalue()
