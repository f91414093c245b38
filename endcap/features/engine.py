"""What a feature build asks of the engine that computes it: the expressions and their order are the same on all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


@dataclass(frozen=True)
class Written:
    """Size of a table that was written."""

    rows: int
    columns: int


@dataclass(frozen=True)
class Batches:
    """Purchases times snapshots that are joined at once: bounds memory. None joins all snapshots at once."""

    user_rows: int | None = None
    pair_rows: int | None = None


class Engine(Protocol):
    """One canonical dataset, read and turned into feature tables."""

    batches: Batches

    def place(self, name: str) -> str:
        """Where a table of the dataset lies, for messages."""

    def read(self, name: str) -> "ir.Table":
        """A table of the dataset; one that is not required and not there is empty.

        Raises:
            DataRejected: a required table is missing, or a table cannot be read.
        """

    def moments(self, moments: tuple[datetime, ...], data_end: datetime) -> "ir.Table":
        """`event_timestamp` and `is_data_end` of snapshots."""

    def load(self, name: str, table: "pa.Table") -> "ir.Table":
        """A table from memory, small enough for one machine."""

    def keep(self, name: str, expression: "ir.Table") -> "ir.Table":
        """Compute once what several features take."""

    def write(self, name: str, expressions: Iterable["ir.Table"]) -> Written:
        """Store the expressions' rows one after another as one feature table."""

    def dataset_fingerprint(self) -> str:
        """What tells this dataset from others."""
