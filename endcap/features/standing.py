"""Rows that stand for a time only, since a return may take them off: as of t with since < t <= until, `until` null for ever."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

NEVER = 1 << 53
"""Epoch seconds after all others; a double holds it."""


def stands(rows: ir.Table, snapshots: ir.Table) -> list[ir.BooleanValue]:
    """Predicates of a join: the row stands as of the snapshot's `t`."""
    return [rows.since < snapshots.t, rows.until.isnull() | (rows.until >= snapshots.t)]


def joined_stretches(lines: ir.Table, keys: Sequence[str], names: Sequence[str] = ()) -> ir.Table:
    """The stretches of time in which any line of a key stands: one a key where nothing was taken off, for ever.

    Args:
        lines: `at`, `since`, `until` and the keys; what stands together belongs together, so a stretch begins at its first line's `at`.
        keys: columns that name what is looked at; they may be null.
        names: other columns, the same for all lines of a key.

    Returns:
        Keys and names, `at`, `until`.
    """
    # Nulls join nothing, so they get a value of their own while they do.
    blanks = {f"{key}_or_blank": lines[key].fill_null("") for key in keys}
    known = lines.mutate(**blanks)
    changed = known.filter(known.until.notnull()).select(*blanks).distinct()
    values = {name: known[name].max() for name in names}
    whole = known.anti_join(changed, list(blanks)).group_by(*keys).agg(at=known["at"].min(), until=ibis.null("int64"), **values)
    parts = known.semi_join(changed, list(blanks)).mutate(ends=ibis.coalesce(known.until, ibis.literal(NEVER)))
    by_time = {"group_by": list(keys), "order_by": ["since", "ends"]}
    reach = parts.mutate(reach=parts.ends.max().over(ibis.cumulative_window(**by_time)))
    reach = reach.mutate(reach_before=reach.reach.lag().over(ibis.window(**by_time)))
    begun = reach.mutate(begins=(reach.reach_before.isnull() | (reach.since > reach.reach_before)).cast("int64"))
    numbered = begun.mutate(stretch=begun.begins.sum().over(ibis.cumulative_window(**by_time)))
    stretches = numbered.group_by(*keys, "stretch").agg(
        at=numbered["at"].min(), until=numbered.ends.max().nullif(NEVER), **{name: numbered[name].max() for name in names}
    )
    return whole.union(stretches.select(*whole.columns))


def epochs(rows: ir.Table, keys: Sequence[str]) -> ir.Table:
    """Rows repeated for each epoch of their key in which they stand: between two take-offs nothing of a key is taken off.

    Within an epoch windows over a key see what stands there, whatever was taken off before or is afterwards.

    Args:
        rows: the keys, `at`, `until`; where a key is null, rows stay as they are.
        keys: columns that name what is looked at.

    Returns:
        The columns of `rows`, with `until` the end of row or epoch; `since`, and `epoch` to partition by (null for keys without take-offs).
    """
    ends = rows.filter(rows.until.notnull(), *(rows[key].notnull() for key in keys)).select(*keys, ends=rows.until).distinct()
    closed = ends.mutate(epoch=ends.ends.lag().over(ibis.window(group_by=list(keys), order_by="ends")))
    closed = closed.mutate(epoch=closed.epoch.fill_null(-NEVER))
    last = ends.group_by(*keys).agg(epoch=ends.ends.max()).mutate(ends=ibis.null("int64"))
    spans = closed.union(last.select(*closed.columns))
    unchanged = rows.anti_join(ends, list(keys)).mutate(since=rows["at"], epoch=ibis.null("int64"))
    split = rows.inner_join(spans, list(keys))
    split = split.filter(split.until.isnull() | (split.until > split.epoch), split.ends.isnull() | (split["at"] < split.ends))
    split = split.mutate(since=ibis.greatest(split["at"], split.epoch), until=split.ends)
    return unchanged.union(split.select(*unchanged.columns))
