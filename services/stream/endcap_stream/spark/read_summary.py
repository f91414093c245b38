"""What the driver knows of a batch's records once they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from endcap.events.stream.columns import MOMENT
from endcap_stream.spark.stages.reading import BROKEN, NEWEST_PROBE, NUMBERS, PROBES, RECORDS
from endcap_stream.spark.storage.packs import Pack


@dataclass(frozen=True, slots=True)
class ReadSummary:
    """Attributes:
    records: how many there are, probes among them.
    broken: how many of them are no events.
    probes: how many of them are probes.
    newest, oldest: moments at which something happened, UTC.
    received_at: when the newest was received, UTC.
    newest_probe: when the newest probe was made, UTC.
    """

    records: int
    broken: int
    probes: int
    newest: datetime | None
    oldest: datetime | None
    received_at: datetime | None
    newest_probe: datetime | None


def summed(summaries: Sequence[bytes]) -> ReadSummary:
    """One of what tasks said.

    Args:
        summaries: packs.
    """
    moments = dict.fromkeys(("newest", "oldest", "received_at", NEWEST_PROBE), MOMENT)
    schema = pl.Schema(moments | dict.fromkeys((RECORDS, BROKEN, PROBES), pl.Int64()))
    found = [table.select(schema.names()).cast(schema) for table in (Pack(each).table(NUMBERS) for each in summaries) if table is not None]
    table = pl.concat([schema.to_frame(), *found])
    of_all = (table["newest"].max(), table["oldest"].min(), table["received_at"].max(), table[NEWEST_PROBE].max())
    known = [moment if isinstance(moment, datetime) else None for moment in of_all]
    return ReadSummary(int(table[RECORDS].sum()), int(table[BROKEN].sum()), int(table[PROBES].sum()), *known)
