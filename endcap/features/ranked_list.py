"""Long tables into one row a key with parallel lists, ordered by rank."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir


def collect_ranked(ranked: ir.Table, keys: Sequence[str], rank: str, columns: Sequence[str]) -> ir.Table:
    """One row a key; each of `columns` becomes the list of its values in ascending `rank`.

    Structs are sorted after collecting, since Spark's aggregates take no order.

    Args:
        ranked: one row a key and list place; `rank` is an integer unique within a key.
        keys: columns that name the row.
        rank: the column to order by.
        columns: columns that become lists, of equal length within a row.
    """
    entry = ibis.struct({rank: ranked[rank], **{name: ranked[name] for name in columns}})
    lists = ranked.group_by(list(keys)).agg(entries=entry.collect())
    lists = lists.mutate(entries=lists.entries.sort())
    return lists.select(*keys, **{name: lists.entries.map(lambda entry, name=name: entry[name]) for name in columns})
