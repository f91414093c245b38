"""The feature tables as they are stored, put together from the feature families."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from endcap.features.affinity import user_affinity
from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.history import user_history
from endcap.features.user import user_categorical

USER_COLUMNS: tuple[str, ...] = (*USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY, *USER_AFFINITY)


@dataclass(frozen=True)
class UserParts:
    """What the user table is put together from: computed once for all snapshots.

    Attributes:
        numeric: `user_id`, `t` and USER_NUMERIC.
        users: the dataset's users.
        touches: item touches.
        category_weights: running weights by category.
        brand_weights: running weights by brand.
        user_weights: running weights of everything.
    """

    numeric: ir.Table
    users: ir.Table
    touches: ir.Table
    category_weights: ir.Table
    brand_weights: ir.Table
    user_weights: ir.Table


def user_table(parts: UserParts, snapshots: ir.Table) -> ir.Table:
    """`user_id`, `event_timestamp`, USER_COLUMNS: users with a purchase before the snapshot."""
    rows = parts.numeric.semi_join(snapshots, "t")
    rows = _with(rows, user_categorical(parts.users), ["user_id"])
    for lists in (
        user_history(parts.touches, snapshots),
        user_affinity("category", parts.category_weights, parts.user_weights, snapshots),
        user_affinity("brand", parts.brand_weights, parts.user_weights, snapshots),
    ):
        rows = _with(rows, lists, ["user_id", "t"])
    texts = {name: rows[name].fill_null("") for name in USER_CATEGORICAL}
    lists = {name: rows[name].fill_null(ibis.literal([], type=rows[name].type())) for name in (*USER_HISTORY, *USER_AFFINITY)}
    return _stored(rows.mutate(**texts, **lists), "user_id", USER_COLUMNS, snapshots)


def pair_table(pairs: ir.Table, snapshots: ir.Table) -> ir.Table:
    """`user_id`, `event_timestamp`, PAIR_LISTS."""
    return _stored(pairs, "user_id", PAIR_LISTS, snapshots)


def item_table(numeric: ir.Table, snapshots: ir.Table) -> ir.Table:
    """`item_id`, `event_timestamp`, ITEM_NUMERIC."""
    return _stored(numeric, "item_id", ITEM_NUMERIC, snapshots)


def _with(rows: ir.Table, part: ir.Table, keys: list[str]) -> ir.Table:
    return rows.left_join(part, keys).drop(*(f"{key}_right" for key in keys))


def _stored(rows: ir.Table, entity: str, columns: Sequence[str], snapshots: ir.Table) -> ir.Table:
    """Rows under their snapshot's timestamp, sorted by it and then by entity."""
    timed = rows.inner_join(snapshots.select("t", "event_timestamp"), "t")
    return timed.select(entity, "event_timestamp", *columns).order_by("event_timestamp", entity)
