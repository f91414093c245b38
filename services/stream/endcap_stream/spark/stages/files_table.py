"""Buckets' files as a table, for the way to the driver."""

from collections.abc import Iterable, Sequence

import polars as pl

from endcap_stream.spark.stages.work import Memory
from endcap_stream.spark.storage.bucket_state import BucketFiles
from endcap_stream.spark.storage.packs import Pack

_SCHEMA = pl.Schema({"bucket": pl.Int64(), "names": pl.List(pl.String()), "due_us": pl.Int64()})


def files_table(bucket: int, files: BucketFiles) -> pl.DataFrame:
    """One bucket's files."""
    return pl.DataFrame([(bucket, list(files.names), files.due_us)], schema=_SCHEMA, orient="row")


def brought_up(before: Sequence[BucketFiles], packs: Iterable[Pack], memory: Memory) -> tuple[BucketFiles, ...]:
    """The buckets' files with those in the place of earlier ones that stages told of; of several of a bucket the last.

    Args:
        before: by bucket.
        packs: for the driver.
        memory: which the files are of.
    """
    after = list(before)
    for pack in packs:
        if (table := pack.table(memory)) is not None:
            for bucket, names, due_us in table.iter_rows():
                after[bucket] = BucketFiles(tuple(names), due_us)
    return tuple(after)
