"""Rows into the online store in both forms: column by column, as earlier versions read them, and packed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from endcap.core.log import get_logger
from endcap.features.store.online_rows import OnlineRows
from endcap.features.store.packed_views import PACKED, PackedView

if TYPE_CHECKING:
    from feast import FeatureStore


class PackedRows:
    """Packs rows and writes them. Nothing is written while the features are applied as an earlier version has them: requests then read
    columns.

    Args:
        store: the feature store.
        view: as what rows are packed.
    """

    def __init__(self, store: "FeatureStore", view: PackedView) -> None:
        self._store, self._view = store, view
        self._rows: OnlineRows | None = None
        self._is_registered: bool | None = None

    def write(self, entity_ids: Sequence[str], values: Sequence[Mapping[str, Any]], moment: datetime) -> None:
        """Write rows, each in the place of the entity's earlier one; see `OnlineRows.write`.

        Raises:
            DependencyUnavailable: the store does not take them.
        """
        if self._is_registered is None:
            self._is_registered = self._look()
        if self._is_registered:
            if self._rows is None:
                self._rows = OnlineRows(self._store, self._view.name)
            self._rows.write(entity_ids, [{PACKED: self._view.layout.pack(row)} for row in values], moment)

    def _look(self) -> bool:
        from feast.errors import FeatureViewNotFoundException

        try:
            self._store.get_feature_view(self._view.name)
        except FeatureViewNotFoundException:
            get_logger("features").warning("rows are written column by column alone", view=self._view.name, fix="endcap features")
            return False
        return True


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
