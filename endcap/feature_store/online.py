"""The one online read of a request."""

from typing import TYPE_CHECKING, Any, TypedDict

from endcap.errors import DependencyUnavailable
from endcap.feature_store.names import REQUEST_SERVICE, SESSION_SIGNALS
from endcap.feature_store.open import open_store
from endcap.settings import Settings

if TYPE_CHECKING:
    from feast import FeatureService, FeatureStore

NOBODY = ""
"""Stands for a user or session that the request does not name; ids are never empty."""


class OnlineRow(TypedDict):
    """What is known of a request's user and session. A part is None when its id is unknown or was not given.

    `user`: USER_NUMERIC (float), USER_CATEGORICAL (text), USER_HISTORY, USER_AFFINITY and PAIR_LISTS (lists) by name.
    `session`: `session_item_ids`, `session_event_types`, `session_occurred_at` (lists of equal length, newest last).
    """

    user: dict[str, Any] | None
    session: dict[str, Any] | None


class OnlineFeatures:
    """Reads user and session features for requests. Safe to use from several threads."""

    def __init__(self, store: "FeatureStore") -> None:
        """Resolves the feature service once; the registry stays in memory until `refresh`.

        Raises:
            DependencyUnavailable: the feature repository has not been applied to this store.
        """
        self._store = store
        self._service: FeatureService = self._resolve()

    @classmethod
    def open(cls, settings: Settings) -> "OnlineFeatures":
        """Open the profile's store for reading."""
        return cls(open_store(settings))

    def refresh(self) -> None:
        """Read the registry again, after features were applied anew."""
        self._store.refresh_registry()  # type: ignore[no-untyped-call]
        self._service = self._resolve()

    def read(self, user_id: str | None, session_id: str | None) -> OnlineRow | None:
        """One read for both.

        Returns:
            The known parts, or None when nothing is known of either.

        Raises:
            DependencyUnavailable: the online store does not answer.
        """
        entity = {"user_id": user_id or NOBODY, "session_id": session_id or NOBODY}
        try:
            values = self._store.get_online_features(features=self._service, entity_rows=[entity]).to_dict()
        except Exception as error:
            raise DependencyUnavailable(f"the online read failed: {error}", field="feature store", fix="run: endcap features") from error
        user = {name: values[name][0] for name in self._user_names}
        session = {name: values[name][0] for name in self._session_names}
        row = OnlineRow(user=_known(user), session=_known(session))
        return row if row["user"] or row["session"] else None

    def _resolve(self) -> "FeatureService":
        try:
            service = self._store.get_feature_service(REQUEST_SERVICE)
        except Exception as error:
            raise DependencyUnavailable(
                "the feature service is not registered", field=REQUEST_SERVICE, fix="apply the features: endcap features"
            ) from error
        views = {view.name: [feature.name for feature in view.features] for view in service.feature_view_projections}
        self._session_names = views.pop(SESSION_SIGNALS)
        self._user_names = [name for names in views.values() for name in names]
        return service


def _known(features: dict[str, Any]) -> dict[str, Any] | None:
    """A stored row has no nulls, save of a view that was never written for the user; of an unknown id all are null."""
    return features if any(value is not None for value in features.values()) else None
