"""Rows into the online store in both forms: column by column, as earlier versions read them, and packed."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from endcap.core.log import get_logger
from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.packed_views import LOOK_EVERY_SECONDS, PACKED, PackedView

if TYPE_CHECKING:
    from feast import FeatureStore


class PackedRows:
    """Packs rows and writes them. Nothing is written while the features are applied as an earlier version has them: requests then read
    columns.

    Args:
        store: the feature store.
        view: as what rows are packed.
        timer: monotonic seconds.
    """

    def __init__(self, store: "FeatureStore", view: PackedView, timer: Callable[[], float] = time.monotonic) -> None:
        self._store, self._view, self._timer = store, view, timer
        self._rows: OnlineRows | None = None
        self._look_at: float | None = None

    def write(self, entity_ids: Sequence[str], values: Sequence[Mapping[str, Any]], moment: datetime) -> None:
        """Write rows, each in the place of the entity's earlier one; see `OnlineRows.write`.

        Raises:
            DependencyUnavailable: the store does not take them.
        """
        if self._rows is None and (self._look_at is None or self._timer() >= self._look_at):
            self._look()
        if self._rows is not None:
            self._rows.write(entity_ids, [{PACKED: self._view.layout.pack(row)} for row in values], moment)

    def _look(self) -> None:
        """Whether the view is registered; the registry is as it was opened at first, and read again at each further look."""
        try:
            if self._look_at is not None:
                self._store.refresh_registry()  # type: ignore[no-untyped-call]
            self._store.get_feature_view(self._view.name)
        except Exception as error:
            self._look_at = self._timer() + LOOK_EVERY_SECONDS
            get_logger("features").warning(
                "rows are written column by column alone", view=self._view.name, reason=str(error), fix="endcap features"
            )
            return
        self._rows = OnlineRows(self._store, self._view.name)


class BothForms:
    """Writes rows column by column and packed.

    Args:
        store: the feature store.
        packed: as what they are packed; it lies beside one view of columns.
    """

    def __init__(self, store: "FeatureStore", packed: PackedView) -> None:
        (columns,) = packed.column_views
        self._columns, self._packed = OnlineRows(store, columns), PackedRows(store, packed)

    def write(self, entity_ids: Sequence[str], values: Sequence[Mapping[str, Any]], moment: datetime) -> None:
        """Write rows; see `OnlineRows.write`. The columns come first: until the packed row is there they are newer, and read.

        Raises:
            DependencyUnavailable: the store does not take them, or lacks the view of columns.
        """
        self._columns.write(entity_ids, values, moment)
        self._packed.write(entity_ids, values, moment)
