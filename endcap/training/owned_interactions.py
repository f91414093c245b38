"""Whose an event is, and what it says: a dataset's events as typed interactions of people and of visits of nobody known."""

import duckdb

from endcap.contracts.event import EventType
from endcap.contracts.signals import PURCHASE_CODE, VISIT_PREFIX, Signals, event_type_of

_OWNED = """
    WITH logins AS (
        SELECT session_id, user_id AS person, min(occurred_at) AS since FROM events
            SEMI JOIN (SELECT session_id FROM events WHERE user_id IS NULL AND consent) USING (session_id)
        WHERE user_id IS NOT NULL AND consent GROUP BY session_id, user_id),
    spans AS (SELECT *, lead(since) OVER (PARTITION BY session_id ORDER BY since, person) AS until FROM logins),
    typed AS (
        SELECT event_id, user_id, session_id, item_id, occurred_at,
            (CASE {codes} END)::UTINYINT AS signal
        FROM events SEMI JOIN items USING (item_id) WHERE consent AND event_type IN ({types}))
    SELECT * FROM typed WHERE user_id IS NOT NULL
    UNION ALL BY NAME
    SELECT typed.* REPLACE (coalesce(person, chr({prefix}) || typed.session_id) AS user_id)
    FROM typed LEFT JOIN spans
        ON typed.session_id = spans.session_id AND occurred_at >= since AND (until IS NULL OR occurred_at < until)
    WHERE user_id IS NULL AND (person IS NOT NULL OR {anonymous_visits})
"""


def owned_interactions(signals: Signals) -> str:
    """A query over the tables `events` and `items`: event_id, user_id, session_id, item_id, occurred_at, signal (uint8).

    What nobody known did after somebody was known in the same visit is that person's; what came before stays the visit's, whose `user_id`
    is its id behind VISIT_PREFIX. Low ratings have the signal 0.
    """
    types = {code: event_type_of(code) for code in signals.counted}
    low = None if signals.low_rating is None else f"WHEN event_type = '{EventType.RATING.value}' AND rating <= {signals.low_rating} THEN 0"
    return _OWNED.format(
        codes=" ".join([*filter(None, [low]), *(f"WHEN event_type = '{name}' THEN {code}" for code, name in types.items())]),
        types=", ".join(f"'{name}'" for name in types.values()),
        prefix=ord(VISIT_PREFIX),
        anonymous_visits=signals.anonymous_visits,
    )


def has_other_signals(connection: duckdb.DuckDBPyConnection, signals: Signals) -> bool:
    """Whether the table `events` holds anything beside purchases that teaches."""
    others = [event_type_of(code) for code in signals.counted if code != PURCHASE_CODE]
    found = connection.execute("SELECT count(*) FROM (FROM events WHERE list_contains($others, event_type) LIMIT 1)", {"others": others})
    return found.fetchall() != [(0,)]
