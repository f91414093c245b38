"""A mark in the online store that says whether the store still has what was written to it.

A store that was started anew without its data, or without its last second, lacks the newest mark: it goes with the rows that it was
written behind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from endcap.contracts.reserved_id import reserved_id
from endcap.features.columns import RECENT_MOVED, USER_RECENT
from endcap.features.store.names import SESSION_COLUMNS, SESSION_SIGNALS, SESSION_SUMMARY, USER_RECENT_VIEW
from endcap.features.store.online_rows import OnlineRows

MARK_ID = reserved_id("mark")
"""In the place of a visit or a person."""


@dataclass(frozen=True, slots=True)
class MarkedView:
    """How a view holds a mark.

    Attributes:
        name: of the view.
        text: the feature, a list of texts, that holds it.
        blank: values of a row that says nothing.
    """

    name: str
    text: str
    blank: Mapping[str, Any]


MARKED_SESSIONS = MarkedView(
    SESSION_SIGNALS, "session_item_ids", {**dict.fromkeys((*SESSION_COLUMNS, *SESSION_SUMMARY), ()), "session_dwell_ms": 0}
)
MARKED_RECENT = MarkedView(USER_RECENT_VIEW, "recent_item_ids", {**dict.fromkeys(USER_RECENT, ()), RECENT_MOVED: 0})


class StoreMark:
    """The mark of one view.

    Args:
        rows: of the view.
        view: how it holds the mark.
    """

    def __init__(self, rows: OnlineRows, view: MarkedView) -> None:
        self._rows, self._view = rows, view

    def read(self) -> str | None:
        """The mark; None where the store has none.

        Raises:
            DependencyUnavailable: the store does not answer.
        """
        found = self._rows.texts(MARK_ID, self._view.text)
        return found[0] if found else None

    def write(self, mark: str, moment: datetime) -> None:
        """Put a mark in the place of the earlier one.

        Args:
            mark: any text.
            moment: UTC, after that of the earlier one.

        Raises:
            DependencyUnavailable: the store does not take it.
        """
        self._rows.write([MARK_ID], [{**self._view.blank, self._view.text: [mark]}], moment)
