"""What stages hand to each other: packs for buckets, and words for the driver."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from endcap_stream.spark.storage.packs import Pack, packed

TO_DRIVER = -1
"""In place of a bucket."""

Parcel = tuple[int, bytes]
"""A bucket, or TO_DRIVER, and a pack."""

COUNTS = "counts"
_COUNTS_SCHEMA = pl.Schema({"name": pl.String(), "count": pl.Int64()})


@dataclass(slots=True)
class Outgoing:
    """Tables by where they go."""

    tables: dict[int, dict[str, pl.DataFrame]] = field(default_factory=dict)

    def add(self, to: int, name: str, rows: pl.DataFrame) -> None:
        """Put rows with those of the same table."""
        if rows.is_empty():
            return
        tables = self.tables.setdefault(to, {})
        tables[name] = pl.concat([tables[name], rows]) if name in tables else rows

    def count(self, counts: Mapping[str, int]) -> None:
        """Tell the driver numbers."""
        rows = [(str(name), count) for name, count in counts.items() if count]
        self.add(TO_DRIVER, COUNTS, pl.DataFrame(rows, schema=_COUNTS_SCHEMA, orient="row"))

    def parcels(self) -> Iterator[Parcel]:
        """All of it, a pack a place."""
        for to, tables in self.tables.items():
            yield to, packed(tables)


def counts_of(packs: Iterable[Pack]) -> Counter[str]:
    """The numbers that stages told, added up."""
    counts: Counter[str] = Counter()
    for pack in packs:
        if (table := pack.table(COUNTS)) is not None:
            for name, count in table.iter_rows():
                counts[name] += count
    return counts


def placed(parcels: Iterable[Parcel]) -> tuple[list[Pack], list[Parcel]]:
    """What came for a bucket, and what is passed on to the driver."""
    for_bucket: list[Pack] = []
    for_driver: list[Parcel] = []
    for to, content in parcels:
        if to == TO_DRIVER:
            for_driver.append((to, content))
        else:
            for_bucket.append(Pack(content))
    return for_bucket, for_driver


def partition_of(to: int) -> int:
    """The task that a parcel goes to; what is for the driver passes through the first."""
    return max(to, 0)
