"""What the driver knows of a batch's records once they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from endcap.events.stream.columns import MOMENT
from endcap_stream.spark.stages.reading import BROKEN, NUMBERS, RECORDS
from endcap_stream.spark.storage.packs import Pack


@dataclass(frozen=True, slots=True)
class ReadSummary:
    """Attributes:
    records: how many there are.
    broken: how many of them are no events.
    newest, oldest: moments at which something happened, UTC.
    received_at: when the newest was received, UTC.
    """

    records: int
    broken: int
    newest: datetime | None
    oldest: datetime | None
    received_at: datetime | None


def summed(summaries: Sequence[bytes]) -> ReadSummary:
    """One of what tasks said.

    Args:
        summaries: packs.
    """
    schema = pl.Schema({"newest": MOMENT, "oldest": MOMENT, "received_at": MOMENT, RECORDS: pl.Int64(), BROKEN: pl.Int64()})
    found = [table.cast(schema) for table in (Pack(each).table(NUMBERS) for each in summaries) if table is not None]
    table = pl.concat([schema.to_frame(), *found])
    newest, oldest, received_at = table["newest"].max(), table["oldest"].min(), table["received_at"].max()
    moments = [moment if isinstance(moment, datetime) else None for moment in (newest, oldest, received_at)]
    return ReadSummary(int(table[RECORDS].sum()), int(table[BROKEN].sum()), *moments)
