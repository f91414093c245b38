"""Whose a visit's events are that name nobody: of who identified in the visit, from then on and not before, as in the stream."""

import ibis
import ibis.expr.types as ir

from endcap.contracts.event import EventType
from endcap.features.store.names import RECENT_LIFE_SECONDS

_IDENTITY = EventType.IDENTITY.value


def has_identities(events: ir.Table) -> bool:
    """Whether anybody identified in a visit: most datasets know whose an event is, or never learn it."""
    return bool(_identities(events).limit(1).count().to_pyarrow().as_py())


def identified(events: ir.Table) -> ir.Table:
    """The events with `user_id` where the last who identified in their visit by then, at most RECENT_LIFE_SECONDS before, says it.

    Args:
        events: the dataset's events.
    """
    known = _identities(events)
    latest = known.group_by("session_id", "occurred_at").agg(event_id=known.event_id.max())
    known = known.semi_join(latest, "event_id").select("session_id", who=known.user_id, since=known.occurred_at)
    known = known.mutate(until=known.since.lead().over(ibis.window(group_by="session_id", order_by="since")))
    nobodys = events.filter(events.user_id.isnull(), events.event_type != _IDENTITY).select("event_id", "session_id", "occurred_at")
    of_visit = nobodys.inner_join(known, "session_id")
    found = of_visit.filter(
        of_visit.since <= of_visit.occurred_at,
        of_visit.until.isnull() | (of_visit.until > of_visit.occurred_at),
        of_visit.occurred_at <= of_visit.since + ibis.interval(seconds=RECENT_LIFE_SECONDS),
    ).select("event_id", "who")
    named = events.left_join(found, "event_id").drop("event_id_right")
    return named.mutate(user_id=ibis.coalesce(named.user_id, named.who)).select(*events.columns)


def _identities(events: ir.Table) -> ir.Table:
    return events.filter(events.event_type == _IDENTITY, events.consent, events.user_id.notnull())
