"""Packed rows as requests read them, or that the columns beside them are to be read.

While a version is rolled out, writers of both versions may be at work. So with each packed row the moments of its columns are read: columns
that were written later, by who does not pack, come before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.features.packed_layout import PackedRowUnreadable
from endcap.features.store.packed_views import PACKED, PACKED_SERVICE, PACKED_VIEWS, PackedView
from endcap.features.store.stored_values import EntityId, Stored, StoredColumn, StoredValues, ViewsGone, stored_values

if TYPE_CHECKING:
    from feast import FeatureStore
    from feast.infra.online_stores.online_store import OnlineStore

Row = dict[str, Any]


@dataclass(slots=True)
class Found:
    """What is known of an entity, by packed view.

    Attributes:
        rows: row and moment of those that are packed.
        in_columns: those of which the columns are to be read.
    """

    rows: dict[str, tuple[Row, datetime]] = field(default_factory=dict)
    in_columns: set[str] = field(default_factory=set)

    def merged(self, views: Sequence[PackedView]) -> Row | None:
        """Rows of views as one, with `event_timestamp`, the oldest row's moment; None where nothing is known."""
        merged: Row = {}
        moments = []
        for view in views:
            if view.name not in self.rows:
                merged.update(dict.fromkeys(view.layout.names))
                continue
            values, moment = self.rows[view.name]
            merged.update(values)
            if any(value is not None for value in values.values()):
                moments.append(moment)
        return merged | {"event_timestamp": min(moments)} if moments else None


class PackedRead:
    """Reads packed rows. Safe to use from several threads.

    Args:
        values: of the packed views and of those beside them, in the order of `packed_columns`; None for a store without packed rows.
    """

    def __init__(self, values: StoredValues | None) -> None:
        self._values, self._views = values, views_by_join_key()
        self._reported: set[str] = set()

    @classmethod
    def of(cls, store: "FeatureStore") -> "PackedRead":
        """That of a store, whose features may have been applied by a version that does not pack."""
        try:
            store.get_feature_service(PACKED_SERVICE)
            columns = packed_columns(store)
        except Exception as error:
            _say_columns_are_read(str(error))
            return cls(None)
        return cls(stored_values(store.config, columns))

    @property
    def is_there(self) -> bool:
        """Whether the store has packed rows."""
        return self._values is not None

    def read(self, online: "OnlineStore", entities: Sequence[EntityId]) -> list[Found]:
        """What is known of each entity.

        Raises:
            DependencyUnavailable: a packed row cannot be read, and there are no columns of its moment.
        """
        if self._values is not None:
            try:
                values = self._values.read(online, entities)
            except ViewsGone as error:
                self._values = None
                _say_columns_are_read(str(error))
        if self._values is None:
            return [Found(in_columns={view.name for view in self._views[join_key]}) for join_key, _ in entities]
        return [self._found(join_key, each) for (join_key, _), each in zip(entities, values, strict=True)]

    def _found(self, join_key: str, values: Sequence[Stored]) -> Found:
        found = Found()
        place = 0
        for view in self._views[join_key]:
            packed, beside = values[place], values[place + 1 : place + 1 + len(view.column_views)]
            place += 1 + len(beside)
            newest = max((moment for _, moment in beside if moment is not None), default=None)
            if packed.moment is None or (newest is not None and packed.moment < newest):
                if newest is not None:
                    found.in_columns.add(view.name)
            elif (row := self._unpacked(view, packed.content, are_there_columns=newest == packed.moment)) is not None:
                found.rows[view.name] = row, packed.moment
            else:
                found.in_columns.add(view.name)
        return found

    def _unpacked(self, view: PackedView, content: bytes | None, *, are_there_columns: bool) -> Row | None:
        try:
            return view.layout.unpack(content or b"")
        except PackedRowUnreadable as error:
            if not are_there_columns:
                raise DependencyUnavailable(
                    f"a packed row cannot be read: {error}", field=view.name, fix="write it again: endcap features"
                ) from error
            # Once a view: in a rollout there may be as many as there are people.
            if view.name not in self._reported:
                self._reported.add(view.name)
                get_logger("features").warning("a packed row cannot be read; its columns are", view=view.name, reason=str(error))
            return None


def _say_columns_are_read(reason: str) -> None:
    get_logger("features").warning(
        "requests read features column by column, which takes longer: packed rows are not registered",
        service=PACKED_SERVICE,
        reason=reason,
        fix="endcap features",
    )


def views_by_join_key() -> Mapping[str, Sequence[PackedView]]:
    """The packed views by join key."""
    views: dict[str, list[PackedView]] = {}
    for view in PACKED_VIEWS:
        views.setdefault(view.join_key, []).append(view)
    return views


def packed_columns(store: "FeatureStore") -> dict[str, list[StoredColumn]]:
    """What is read of an entity, by join key: of each packed view its row, then of each view beside it the moment."""
    return {
        join_key: [
            column
            for view in views
            for column in (
                StoredColumn(store.get_feature_view(view.name), PACKED, is_read=True),
                *(_moment_of(store, name) for name in view.column_views),
            )
        ]
        for join_key, views in views_by_join_key().items()
    }


def _moment_of(store: "FeatureStore", name: str) -> StoredColumn:
    view = store.get_feature_view(name)
    return StoredColumn(view, view.features[0].name, is_read=False)
