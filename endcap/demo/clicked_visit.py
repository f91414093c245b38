"""A visit that nobody knows: its list before and after it looks at some items, by way of the collector and the stream."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import httpx
from rich.console import Console
from rich.table import Table

from endcap.contracts.answer import Answer
from endcap.contracts.event_type import EventType
from endcap.contracts.moment import utc_text
from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.polling import poll
from endcap.events.outcomes.propensities import CERTAIN
from endcap.events.sending import send_events

LOOK_EVERY_S = 0.02
CHANGED_WITHIN_S = 15.0


@dataclass(frozen=True)
class ClickedVisit:
    """What became of one visit.

    Attributes:
        session_id: of the visit.
        before, after: its lists.
        changed_ms: from the moment at which the collector had stored what was looked at until the first list that follows from it.
    """

    session_id: str
    before: Answer
    after: Answer
    changed_ms: float


def click_and_ask(
    ask: Callable[[str], Answer], collector: httpx.Client, item_ids: Sequence[str], clock: Clock = system_clock
) -> ClickedVisit:
    """Ask for a new visit's list, send that it looked at some items, and ask until the list has something of that.

    Args:
        ask: gives the list of a session.
        collector: with the collector's address as its base.
        item_ids: what is looked at, one after the other.
        clock: the present, UTC.

    Raises:
        DependencyUnavailable: an event was not taken, or the list has nothing of the visit in it for long.
    """
    session_id = f"demo-{uuid4()}"
    before = ask(session_id)
    sent = send_events([_view(session_id, item_id, clock()) for item_id in item_ids], collector, None, time.sleep)
    if sent.refused or sent.accepted != len(item_ids):
        raise DependencyUnavailable("the collector did not take what was looked at", field=str(collector.base_url), value=sent.refused)
    began = time.perf_counter()
    after = before

    def is_changed() -> bool:
        nonlocal after
        after = ask(session_id)
        return not _sources(after) <= _sources(before)

    if not poll(is_changed, every_s=LOOK_EVERY_S, within_s=CHANGED_WITHIN_S):
        raise DependencyUnavailable(f"the visit's list had nothing of it for {CHANGED_WITHIN_S:.0f} s", field="stream", fix="see its log")
    return ClickedVisit(session_id, before, after, (time.perf_counter() - began) * 1000)


def print_clicked_visit(console: Console, visit: ClickedVisit, names: Sequence[str]) -> None:
    """Both lists side by side.

    Args:
        console: where to.
        visit: what became of it.
        names: of the items that were looked at.
    """
    table = Table(title=f"A visitor nobody knows looks at {'; '.join(names)}", title_justify="left", title_style="bold", show_edge=False)
    table.add_column("#", justify="right")
    for name in ("before", f"{visit.changed_ms:.0f} ms after", "reason"):
        table.add_column(name, overflow="fold")
    for first, second in zip(visit.before.recommendations, visit.after.recommendations, strict=False):
        table.add_row(str(second.position), first.title, second.title, second.reason)
    console.print()
    console.print(table)


def _view(session_id: str, item_id: str, now: datetime) -> str:
    moment = utc_text(now)
    event = {"event_id": str(uuid4()), "event_type": EventType.PRODUCT_VIEW.value, "occurred_at": moment, "sent_at": moment}
    return json.dumps({**event, "session_id": session_id, "item_id": item_id, "channel": "web"})


def _sources(answer: Answer) -> set[str]:
    """Where a list's items are from, but for those that chance put there: exploration alone changes a list now and then."""
    return {each.source for each in answer.recommendations if each.propensity >= CERTAIN}
