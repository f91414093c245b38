"""Which rows are packed, and with which columns: the one place from which writers, readers and the feature repository take it.

A packed view lies beside the views that have the same values column by column. Both are written, with the same moment.
"""

from dataclasses import dataclass

from endcap.features.columns import (
    PAIR_LISTS,
    RECENT_MOVED,
    USER_AFFINITY,
    USER_CATEGORICAL,
    USER_HISTORY,
    USER_NUMERIC,
    USER_RECENT,
)
from endcap.features.names import USER_FEATURES, USER_ITEM_FEATURES
from endcap.features.packed_layout import PackedLayout
from endcap.features.store.names import (
    SESSION_COLUMNS,
    SESSION_SIGNALS,
    USER_HISTORY_VIEW,
    USER_ITEM,
    USER_PROFILE,
    USER_RECENT_VIEW,
)

PACKED = "packed"
"""The one feature of a packed view, bytes."""

PACKED_SERVICE = "request_packed_v1"

LOOK_EVERY_SECONDS = 300.0
"""Between two looks whether packed views are registered, where they were not.

Parts of a new version may start before its features are applied.
"""


@dataclass(frozen=True)
class PackedView:
    """A view of packed rows.

    Attributes:
        name: of the view.
        join_key: of its entity.
        layout: its rows' columns.
        column_views: views that have the same values, a feature a column.
    """

    name: str
    join_key: str
    layout: PackedLayout
    column_views: tuple[str, ...]


def _layout(names: tuple[str, ...], numbers: tuple[str, ...] = (), texts: tuple[str, ...] = ()) -> PackedLayout:
    """By their names: ids are texts, moments and codes integers, quantities numbers. The feature repository's types follow from it."""
    integers = tuple(name for name in names if name == RECENT_MOVED)
    lists = [name for name in names if name not in {*numbers, *texts, *integers}]
    of_texts = tuple(name for name in lists if name.endswith(("_ids", "_event_types")))
    of_integers = tuple(name for name in lists if name.endswith(("_at", "_signals")) or (name in USER_RECENT and name not in of_texts))
    of_numbers = tuple(name for name in lists if name not in {*of_texts, *of_integers})
    return PackedLayout(names, numbers, integers, texts, of_numbers, of_integers, of_texts)


USER_PACKED = PackedView(
    "user_packed",
    "user_id",
    _layout((*USER_NUMERIC, *USER_CATEGORICAL, *USER_AFFINITY, *USER_HISTORY), USER_NUMERIC, USER_CATEGORICAL),
    (USER_PROFILE, USER_HISTORY_VIEW),
)
USER_ITEM_PACKED = PackedView("user_item_packed", "user_id", _layout(PAIR_LISTS), (USER_ITEM,))
RECENT_PACKED = PackedView("user_recent_packed", "user_id", _layout(USER_RECENT), (USER_RECENT_VIEW,))
SESSION_PACKED = PackedView("session_packed", "session_id", _layout(SESSION_COLUMNS), (SESSION_SIGNALS,))

BATCH_PACKED = {USER_FEATURES: USER_PACKED, USER_ITEM_FEATURES: USER_ITEM_PACKED}
"""By the feature table whose rows they pack."""
PACKED_VIEWS = (USER_PACKED, USER_ITEM_PACKED, RECENT_PACKED, SESSION_PACKED)
