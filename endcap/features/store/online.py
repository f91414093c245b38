"""The one online read of a request: packed rows, by one statement or command, and columns where there are no packed ones."""

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.features.store.column_read import ColumnRead, Views
from endcap.features.store.feast_store import OnlineStores
from endcap.features.store.names import REQUEST_SERVICE, SESSION_SIGNALS, USER_RECENT_VIEW
from endcap.features.store.open import open_for_requests
from endcap.features.store.packed_read import Found, PackedRead
from endcap.features.store.packed_views import LOOK_EVERY_SECONDS, RECENT_PACKED, SESSION_PACKED, USER_ITEM_PACKED, USER_PACKED, PackedView

if TYPE_CHECKING:
    from feast import FeatureStore
    from feast.infra.online_stores.online_store import OnlineStore

Row = dict[str, Any]


class OnlineRow(TypedDict):
    """What is known of a request's user and session. A part is None when its id is unknown or was not given.

    Lists of quantities are float32 arrays, those of moments and codes int64 arrays, those of ids lists of texts.

    `user`: USER_NUMERIC (float), USER_CATEGORICAL (text), USER_HISTORY, USER_AFFINITY and PAIR_LISTS (lists) by name, and
    `event_timestamp`, the moment they are of.
    `recent`: USER_RECENT, what the user did lately.
    `session`: `session_item_ids`, `session_event_types`, `session_occurred_at` (lists of equal length, newest last).
    """

    user: Row | None
    recent: Row | None
    session: Row | None


class OnlineFeatures:
    """Reads user and session features for requests. Safe to use from several threads."""

    def __init__(self, store: "FeatureStore", timer: Callable[[], float] = time.monotonic) -> None:
        """Resolves the feature services once; the registry stays in memory until `refresh`, or until packed rows are there.

        Args:
            store: the feature store.
            timer: monotonic seconds.

        Raises:
            DependencyUnavailable: the feature repository has not been applied to this store.
        """
        self._store = store
        self._online = OnlineStores(store)
        self._timer = timer
        self._look_at = timer() + LOOK_EVERY_SECONDS
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
            DependencyUnavailable: the online store does not answer, or has a packed row that this version cannot read.
        """
        return self.read_many([(user_id, session_id)])[0]

    def read_many(self, asked: Sequence[tuple[str | None, str | None]]) -> list[OnlineRow | None]:
        """The same for several users and sessions.

        Raises:
            DependencyUnavailable: as `read`.
        """
        if not self._packed.is_there and self._timer() >= self._look_at:
            self._look_at = self._timer() + LOOK_EVERY_SECONDS
            # Beside requests: a registry in a database takes longer than they may.
            threading.Thread(target=self._look_again, name="feature-registry", daemon=True).start()
        user_ids, session_ids = _distinct(user for user, _ in asked), _distinct(session for _, session in asked)
        try:
            known, recents, visits = self._parts(user_ids, session_ids)
        except DependencyUnavailable:
            raise
        except Exception as error:
            # The frames hold SQLite's cursor: dropped in another thread, it would wait there for the lock that this thread waits for.
            traceback.clear_frames(error.__traceback__)
            raise DependencyUnavailable(
                f"the online read failed: {_reason(error)}", field="feature store", fix="run: endcap features"
            ) from error
        return [_online_row(known.get(user), recents.get(user), visits.get(session)) for user, session in asked]

    def _look_again(self) -> None:
        try:
            self.refresh()
        except Exception as error:
            get_logger("features").warning("the registry cannot be read again; requests go on with what is known", reason=str(error))

    def _parts(self, user_ids: list[str], session_ids: list[str]) -> tuple[Mapping[str | None, Row | None], ...]:
        """Batch features, what was done lately, and visits, by id."""
        online = self._online.own()
        entities = [*(("user_id", each) for each in user_ids), *(("session_id", each) for each in session_ids)]
        found = self._packed.read(online, entities)
        of_users = dict(zip(user_ids, found, strict=False))
        of_sessions = dict(zip(session_ids, found[len(user_ids) :], strict=True))
        return (
            self._part(online, of_users, (USER_PACKED, USER_ITEM_PACKED), self._user_views),
            _untimed(self._part(online, of_users, (RECENT_PACKED,), self._recent_views)),
            _untimed(self._part(online, of_sessions, (SESSION_PACKED,), self._session_views)),
        )

    def _part(
        self, online: "OnlineStore", found: Mapping[str, Found], packed: Sequence[PackedView], views: Views
    ) -> dict[str | None, Row | None]:
        """One part by id: from the packed rows, else from the columns of the same views."""
        names = {view.name for view in packed}
        by_columns = [each for each, one in found.items() if not names.isdisjoint(one.in_columns)]
        rows: dict[str | None, Row | None] = {each: one.merged(packed) for each, one in found.items()}
        if by_columns:
            rows.update(zip(by_columns, self._columns.read(online, views, packed[0].join_key, by_columns), strict=True))
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
        self._columns, self._packed = ColumnRead(self._store.config), PackedRead.of(self._store)
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


def _distinct(ids: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(each for each in ids if each))


def _online_row(user: Row | None, recent: Row | None, session: Row | None) -> OnlineRow | None:
    return OnlineRow(user=user, recent=recent, session=session) if user or recent or session else None


def _untimed(rows: dict[str | None, Row | None]) -> dict[str | None, Row | None]:
    """What the stream wrote, without the moment at which it did."""
    for row in rows.values():
        if row is not None:
            del row["event_timestamp"]
    return rows


def _reason(error: Exception) -> str:
    """What went wrong, without the command that Redis' client puts before it: that names the person."""
    return str(error).rsplit("of pipeline caused error: ", 1)[-1]
