"""Refused rows: the table they are kept in, and the count that decides whether the whole dataset is refused."""

import json
from collections import Counter
from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from endcap.core.errors import DataRejected
from endcap.dataset.sources.source import Batch

REJECTED_SCHEMA = pa.schema(
    [
        pa.field("table", pa.string(), nullable=False, metadata={"description": "Table the row was meant for."}),
        pa.field("file", pa.string(), nullable=False, metadata={"description": "File the row came from."}),
        pa.field("row_number", pa.int64(), nullable=False, metadata={"description": "Its place in that file, from 1, header not counted."}),
        pa.field("column", pa.string(), nullable=False, metadata={"description": "Column at fault."}),
        pa.field("reason", pa.string(), nullable=False, metadata={"description": "What is wrong with it."}),
        pa.field("row", pa.string(), nullable=False, metadata={"description": "The row as JSON."}),
    ]
)
"""One line a problem; a row with two problems stands twice."""

_REASONS_SHOWN = 5


@dataclass
class Tally:
    """Counts of one table while it is read.

    `merged` are good rows of the source that others stand for, `copies` those that repeat another one with its id, and `equal_lines` the
    rows that nothing but their place tells from another one; these stay. `left_out` are those that `where` says are not the table's.
    """

    table: str
    rows: int = 0
    rejected: int = 0
    merged: int = 0
    copies: int = 0
    left_out: int = 0
    equal_lines: int = 0
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def rejected_share(self) -> float:
        return self.rejected / self.read if self.read else 0.0

    @property
    def read(self) -> int:
        """Rows of the source that are the table's."""
        return self.rows + self.rejected + self.merged + self.copies

    def add_rejected(self, rejected: pa.Table, rows: int) -> None:
        """Count refused rows; `rejected` has a line a problem, `rows` says how many rows they are."""
        self.rejected += rows
        counts = pl.DataFrame(rejected.select(["column", "reason"])).group_by("column", "reason").len()
        self.reasons.update({(column, reason): count for column, reason, count in counts.iter_rows()})

    def require_share(self, max_rejected_share: float) -> None:
        """Refuse the table when too many of its rows are bad.

        Raises:
            DataRejected: with the share, and for each column the reasons and how often.
        """
        if self.rejected_share <= max_rejected_share:
            return
        shown = "; ".join(
            f"{column or 'row'}: {reason} ({count:,} row{'' if count == 1 else 's'})"
            for (column, reason), count in self.reasons.most_common(_REASONS_SHOWN)
        )
        more = len(self.reasons) - _REASONS_SHOWN
        raise DataRejected(
            f"{self.rejected:,} of {self.read:,} rows ({self.rejected_share:.2%}) are bad, "
            f"more than the {max_rejected_share:.2%} allowed: {shown}" + (f"; and {more} more reasons" if more > 0 else ""),
            field=self.table,
            fix="correct the data or its mapping, or raise ENDCAP_DATA__MAX_REJECTED_SHARE",
        )


def rejected_lines(table: str, batch: Batch, problems: pl.DataFrame) -> pa.Table:
    """The lines of `REJECTED_SCHEMA` for a batch's problems, in the order of the rows."""
    bad = problems.sort("place", maintain_order=True)
    places = bad["place"]
    whole = batch.originals if batch.originals is not None else pl.DataFrame(batch.rows)
    row = whole[places]
    return (
        pl.DataFrame(
            {
                "table": pl.repeat(table, len(bad), eager=True),
                "file": pl.repeat(batch.file, len(bad), eager=True),
                "row_number": pl.Series(batch.row_numbers).cast(pl.Int64)[places],
                "column": bad["column"],
                "reason": bad["reason"],
                "row": row.select(pl.struct(pl.all()).struct.json_encode()).to_series(),
            }
        )
        .to_arrow()
        .cast(REJECTED_SCHEMA)
    )


def unreadable_lines(table: str, batch: Batch) -> pa.Table:
    """The lines of `REJECTED_SCHEMA` for rows that could not even be split into columns."""
    return pa.Table.from_pylist(
        [
            {
                "table": table,
                "file": batch.file,
                "row_number": row.row_number,
                "column": "",
                "reason": row.reason,
                "row": json.dumps({"text": row.text}, ensure_ascii=False),
            }
            for row in batch.unreadable
        ],
        schema=REJECTED_SCHEMA,
    )
