"""The one online read of a request.

It reads the rows of Feast's online store (`view_rows`) and takes the values out itself: `FeatureStore.get_online_features` takes 2.2 ms for
one user, of which two thirds go into building a response that is taken apart again.
"""

import threading
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.features.store.names import REQUEST_SERVICE, SESSION_SIGNALS, USER_RECENT_VIEW
from endcap.features.store.open import open_for_requests
from endcap.features.store.view_rows import ViewRow, ViewRows, ViewsOf, view_rows

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

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
        users, sessions = Ids.of("user_id", [user for user, _ in asked]), Ids.of("session_id", [session for _, session in asked])
        try:
            known, recents, visits = self._read([(self._user_views, users), (self._recent_views, users), (self._session_views, sessions)])
        except Exception as error:
            # The frames hold SQLite's cursor: dropped in another thread, it would wait there for the lock that this thread waits for.
            traceback.clear_frames(error.__traceback__)
            raise DependencyUnavailable(
                f"the online read failed: {_reason(error)}", field="feature store", fix="run: endcap features"
            ) from error
        return [
            OnlineRow(user=user, recent=recent, session=session) if user or recent or session else None
            for user, recent, session in zip(known, map(_untimed, recents), map(_untimed, visits), strict=True)
        ]

    def _read(self, asked: Sequence[tuple[Views, "Ids"]]) -> list[list[dict[str, Any] | None]]:
        """By what was asked and id, the values by feature name, None where an id is missing or unknown."""
        rows = self._rows().read([ViewsOf(views, ids.keys) for views, ids in asked])
        return [ids.spread(_merged(views, found, len(ids.keys))) for (views, ids), found in zip(asked, rows, strict=True)]

    def _rows(self) -> ViewRows:
        """The store as this thread sees it: on a connection that threads share, one that waits for a lock would stop the whole process."""
        rows: ViewRows | None = getattr(self._of_thread, "rows", None)
        if rows is None:
            from feast.infra.online_stores.helpers import get_online_store_from_config

            online = get_online_store_from_config(self._store.config.online_store)
            rows = self._of_thread.rows = view_rows(self._store, online)
        return rows

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


@dataclass(frozen=True)
class Ids:
    """The ids of some requests.

    Attributes:
        asked: by request; None for none.
        distinct: those to look up.
        keys: these as Feast's entity keys.
    """

    asked: Sequence[str | None]
    distinct: Sequence[str]
    keys: Sequence[Any]

    @classmethod
    def of(cls, join_key: str, asked: Sequence[str | None]) -> "Ids":
        """Ids of an entity."""
        from feast.protos.feast.types.EntityKey_pb2 import EntityKey
        from feast.protos.feast.types.Value_pb2 import Value

        distinct = list(dict.fromkeys(each for each in asked if each))
        keys = [EntityKey(join_keys=[join_key], entity_values=[Value(string_val=each)]) for each in distinct]
        return cls(asked, distinct, keys)

    def spread(self, values: Sequence[dict[str, Any] | None]) -> list[dict[str, Any] | None]:
        """Values of the distinct ids, by request."""
        known = dict(zip(self.distinct, values, strict=True))
        return [known.get(each) if each else None for each in self.asked]


def _merged(views: Views, rows: Sequence[Sequence[ViewRow]], count: int) -> list[dict[str, Any] | None]:
    """Values of all views by id, with the earliest of their moments; None for ids that no view knows.

    A view that has none of an entity that others know gives None for each of its features.
    """
    merged: list[dict[str, Any]] = [{} for _ in range(count)]
    moments: list[list[datetime]] = [[] for _ in range(count)]
    for (_, names), found in zip(views, rows, strict=True):
        for place, (moment, values) in enumerate(found):
            row = {name: _plain(values.get(name)) for name in names} if values else dict.fromkeys(names)
            merged[place] |= row
            # Of what it does not have, Feast's reading of Redis gives empty values and the moment 1970.
            if moment is not None and any(value is not None for value in row.values()):
                moments[place].append(moment)
    return [row | {"event_timestamp": min(times)} if times else None for row, times in zip(merged, moments, strict=True)]


def _untimed(row: dict[str, Any] | None) -> dict[str, Any] | None:
    """What the stream wrote, without the moment at which it did."""
    return None if row is None else {name: value for name, value in row.items() if name != "event_timestamp"}


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
