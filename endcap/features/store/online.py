"""The one online read of a request.

It asks Feast's online store view by view (`OnlineStore.online_read`, what every store implements) and reads the values itself:
`FeatureStore.get_online_features` takes 2.2 ms for one user, of which two thirds go into building a response that is taken apart again.
"""

import threading
import traceback
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.features.store.names import REQUEST_SERVICE, SESSION_SIGNALS, USER_RECENT_VIEW
from endcap.features.store.open import open_for_requests

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView
    from feast.infra.online_stores.online_store import OnlineStore


Views = list[tuple["FeatureView", list[str]]]


class OnlineRow(TypedDict):
    """What is known of a request's user and session. A part is None when its id is unknown or was not given.

    `user`: USER_NUMERIC (float), USER_CATEGORICAL (text), USER_HISTORY, USER_AFFINITY and PAIR_LISTS (lists) by name, and
    `event_timestamp`, the moment they are of.
    `recent`: USER_RECENT, what the user did lately.
    `session`: `session_item_ids`, `session_event_types`, `session_occurred_at` (lists of equal length, newest last).
    """

    user: dict[str, Any] | None
    recent: dict[str, Any] | None
    session: dict[str, Any] | None


class OnlineFeatures:
    """Reads user and session features for requests. Safe to use from several threads."""

    def __init__(self, store: "FeatureStore") -> None:
        """Resolves the feature service once; the registry stays in memory until `refresh`.

        Raises:
            DependencyUnavailable: the feature repository has not been applied to this store.
        """
        self._store = store
        self._of_thread = threading.local()
        self._resolve()

    @classmethod
    def open(cls, settings: Settings) -> "OnlineFeatures":
        """Open the profile's store for reading."""
        return cls(open_for_requests(settings))

    def refresh(self) -> None:
        """Read the registry again, after features were applied anew."""
        self._store.refresh_registry()  # type: ignore[no-untyped-call]
        self._resolve()

    def read(self, user_id: str | None, session_id: str | None) -> OnlineRow | None:
        """One read for both.

        Returns:
            The known parts, or None when nothing is known of either.

        Raises:
            DependencyUnavailable: the online store does not answer.
        """
        return self.read_many([(user_id, session_id)])[0]

    def read_many(self, asked: Sequence[tuple[str | None, str | None]]) -> list[OnlineRow | None]:
        """The same for several users and sessions, by one read a view.

        Raises:
            DependencyUnavailable: the online store does not answer.
        """
        users, sessions = [user for user, _ in asked], [session for _, session in asked]
        try:
            known = self._read(self._user_views, "user_id", users)
            recents = self._untimed(self._recent_views, "user_id", users)
            visits = self._untimed(self._session_views, "session_id", sessions)
        except Exception as error:
            # The frames hold SQLite's cursor: dropped in another thread, it would wait there for the lock that this thread waits for.
            traceback.clear_frames(error.__traceback__)
            raise DependencyUnavailable(
                f"the online read failed: {_reason(error)}", field="feature store", fix="run: endcap features"
            ) from error
        return [
            OnlineRow(user=user, recent=recent, session=session) if user or recent or session else None
            for user, recent, session in zip(known, recents, visits, strict=True)
        ]

    def _untimed(self, views: Views, join_key: str, ids: Sequence[str | None]) -> list[dict[str, Any] | None]:
        """Values of what the stream wrote, without the moment at which it did."""
        return [
            None if found is None else {name: value for name, value in found.items() if name != "event_timestamp"}
            for found in self._read(views, join_key, ids)
        ]

    def _read(self, views: Views, join_key: str, ids: Sequence[str | None]) -> list[dict[str, Any] | None]:
        """Values by feature name of each id, None where it is missing or unknown.

        A view that has none of an entity that others know gives None for each of its features.
        """
        from feast.protos.feast.types.EntityKey_pb2 import EntityKey
        from feast.protos.feast.types.Value_pb2 import Value

        asked = list(dict.fromkeys(each for each in ids if each))
        if not asked:
            return [None] * len(ids)
        keys = [EntityKey(join_keys=[join_key], entity_values=[Value(string_val=each)]) for each in asked]
        values: list[dict[str, Any]] = [{} for _ in asked]
        moments: list[list[datetime]] = [[] for _ in asked]
        online = self._online_store()
        for view, names in views:
            # A copy: the Redis store adds to the list of names that it is given.
            rows = online.online_read(self._store.config, view, keys, [*names])
            for place, (moment, found) in enumerate(rows):
                row = {name: _plain(found.get(name)) for name in names} if found else dict.fromkeys(names)
                values[place] |= row
                # Of what it does not have, the Redis store gives empty values and the moment 1970.
                if moment is not None and any(value is not None for value in row.values()):
                    moments[place].append(moment)
        known = {each: row | {"event_timestamp": min(times)} for each, row, times in zip(asked, values, moments, strict=True) if times}
        return [known.get(each) if each else None for each in ids]

    def _online_store(self) -> "OnlineStore":
        """The store as this thread sees it: on a connection that threads share, one that waits for a lock would stop the whole process."""
        online: OnlineStore | None = getattr(self._of_thread, "online", None)
        if online is None:
            from feast.infra.online_stores.helpers import get_online_store_from_config

            online = self._of_thread.online = get_online_store_from_config(self._store.config.online_store)
        return online

    def _resolve(self) -> None:
        try:
            service = self._store.get_feature_service(REQUEST_SERVICE)
            views = {
                projection.name: (self._store.get_feature_view(projection.name), [feature.name for feature in projection.features])
                for projection in service.feature_view_projections
            }
        except Exception as error:
            raise DependencyUnavailable(
                "the feature service is not registered", field=REQUEST_SERVICE, fix="apply the features: endcap features"
            ) from error
        self._session_views = [views.pop(SESSION_SIGNALS)]
        self._recent_views = [views.pop(USER_RECENT_VIEW)] if USER_RECENT_VIEW in views else []
        if not self._recent_views:
            # Applied by an earlier version: lists are as good as they were with it.
            get_logger("features").warning(
                "requests do not see what people did lately: the feature service lacks the view",
                view=USER_RECENT_VIEW,
                fix="endcap features",
            )
        self._user_views = list(views.values())


def _reason(error: Exception) -> str:
    """What went wrong, without the command that Redis' client puts before it: that names the person."""
    return str(error).rsplit("of pipeline caused error: ", 1)[-1]


def _plain(value: Any) -> Any:
    """A Feast value as Python has it; lists stay sequences of Python values."""
    kind = value.WhichOneof("val") if value is not None else None
    if kind is None or kind == "null_val":
        return None
    content = getattr(value, kind)
    return list(content.val) if kind.endswith("_list_val") else content
