"""Which executor's task has a key: keys are hashed into a fixed number of buckets, the same in every process and version."""

from collections.abc import Iterator
from zlib import crc32

import polars as pl


def buckets_of(keys: pl.Series, count: int) -> pl.Series:
    """Int32 [n]: the bucket of each key.

    Args:
        keys: text [n].
        count: of buckets.
    """
    distinct = keys.unique()
    numbers = [crc32(key.encode()) % count for key in distinct.to_list()]
    table = pl.DataFrame({"key": distinct, "bucket": pl.Series(numbers, dtype=pl.Int32())})
    return keys.alias("key").to_frame().join(table, on="key", how="left", maintain_order="left")["bucket"]


def split_by_key(rows: pl.DataFrame, key: str, count: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows by the bucket of a column.

    Args:
        rows: with the text column `key`.
        key: name of the column.
        count: of buckets.
    """
    if rows.is_empty():
        return
    numbered = rows.with_columns(buckets_of(rows[key], count).alias(_BUCKET))
    for part in numbered.partition_by(_BUCKET, maintain_order=True):
        yield int(part[_BUCKET][0]), part.drop(_BUCKET)


_BUCKET = "__bucket"
