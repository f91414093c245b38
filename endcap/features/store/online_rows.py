"""Rows straight into the online store, as requests read them.

`FeatureStore.push` goes by way of pandas and takes 4 ms a row, however many there are.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from endcap.core.errors import DependencyUnavailable
from endcap.features.store.feast_store import OnlineStores, entity_key

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView


class OnlineRows:
    """Writes rows of one view. Safe to use from several threads.

    Args:
        store: the feature store.
        view: name of the view; its values are numbers, texts and lists of these.
    """

    def __init__(self, store: "FeatureStore", view: str) -> None:
        self._store = store
        self._name = view
        self._online = OnlineStores(store)
        self._view: FeatureView | None = None

    def write(self, entity_ids: Sequence[str], values: Sequence[Mapping[str, Any]], moment: datetime) -> None:
        """Write rows, each in the place of the entity's earlier one.

        Args:
            entity_ids: [n].
            values: by name of a feature, [n].
            moment: of all rows, UTC; Redis keeps what is newer.

        Raises:
            DependencyUnavailable: the store does not take them, or lacks the view.
        """
        try:
            view = self._resolved()
            rows = _encoded(view, entity_ids, values, moment)
            self._online.own().online_write_batch(self._store.config, view, rows, None)
        except Exception as error:
            raise DependencyUnavailable(
                f"rows cannot be written: {error}", field=f"online store, view {self._name}", fix="run: endcap features"
            ) from error

    def texts(self, entity_id: str, name: str) -> list[str] | None:
        """One value of an entity, a list of texts; None where the store has none.

        Raises:
            DependencyUnavailable: the store does not answer, or lacks the view.
        """
        try:
            view = self._resolved()
            found = self._online.own().online_read(self._store.config, view, [entity_key(view.join_keys[0], entity_id)], [name])
        except Exception as error:
            raise DependencyUnavailable(
                f"rows cannot be read: {error}", field=f"online store, view {self._name}", fix="run: endcap features"
            ) from error
        value = (found[0][1] or {}).get(name)
        return list(value.string_list_val.val) if value is not None and value.HasField("string_list_val") else None

    def _resolved(self) -> "FeatureView":
        if self._view is None:
            self._view = self._store.get_feature_view(self._name)
        return self._view


def _encoded(view: "FeatureView", entity_ids: Sequence[str], values: Sequence[Mapping[str, Any]], moment: datetime) -> list[Any]:
    """Rows as Feast's stores take them: entity key, values by feature, moment and none of creation."""
    from feast.protos.feast.types.Value_pb2 import Value

    kinds = {field.name: f"{field.dtype.to_value_type().name.lower()}_val" for field in view.features}
    lists = {name: getattr(Value(), kind).__class__ for name, kind in kinds.items() if kind.endswith("_list_val")}

    def value(name: str, content: Any) -> Any:
        return Value(**{kinds[name]: lists[name](val=content) if name in lists else content})

    return [
        (
            entity_key(view.join_keys[0], entity_id),
            {name: value(name, row[name]) for name in kinds},
            moment,
            None,
        )
        for entity_id, row in zip(entity_ids, values, strict=True)
    ]
