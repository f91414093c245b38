"""Lists of opened mails on their way into the log: from now on they were shown."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

import polars as pl

from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.events.log.batches import Impressions, known_by
from endcap.events.log.confirmed import ConfirmedLog, open_confirmed_log
from endcap.prepared_lists.noted_folders import NotedFolders

_PLACES = UUID("6b0b0f3e-8a55-4a0e-9d0c-2f8f6c1f7d21")
"""Of ids that follow from a request and a place: a list that is written again counts once."""


class OpenedListsSink:
    """Writes the impressions of prepared lists, as of their opening; a list that was not prepared has its impressions already.

    Args:
        settings: all settings.
        clock: the present, UTC.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._folders = NotedFolders(settings.prepared_lists_dir)
        self._log: ConfirmedLog | None = None

    def deliver(self, rows: pl.DataFrame) -> None:
        """Write the lists of openings; see `Sink`.

        Raises:
            DependencyUnavailable: the lists cannot be read, or the log does not take them.
        """
        if rows.is_empty():
            return
        try:
            lists = self._folders.lists_of(rows["request_id"].to_list())
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DependencyUnavailable(f"prepared lists cannot be read: {error}", field=str(self._folders.notes)) from error
        if lists.is_empty():
            return
        if self._log is None:
            self._log = open_confirmed_log(self._settings, self._clock)
        opened = rows.join(lists.drop("user_id"), on="request_id")
        self._log.write([_impressions(row) for row in opened.iter_rows(named=True)])


def _impressions(row: Mapping[str, Any]) -> Impressions:
    """Of one list. Whose it is says the opening: there ids are as they are kept, in the list as callers use them."""
    positions = range(1, len(row["item_id"]) + 1)
    user_id, session_id = known_by(row["user_id"], row["session_id"], analytics=row["consent_analytics"])
    return Impressions(
        request_id=row["request_id"],
        user_id=user_id,
        session_id=session_id,
        surface=row["surface"],
        device=row["device"],
        item_ids=row["item_id"],
        positions=positions,
        propensities=row["propensity"],
        sources=row["source"],
        bundle=row["bundle"],
        variant=row["variant"],
        now=row["occurred_at"],
        consent=row["consent"],
        consent_analytics=row["consent_analytics"],
        event_ids=[str(uuid5(_PLACES, f"{position}:{row['request_id']}")) for position in positions],
    )
