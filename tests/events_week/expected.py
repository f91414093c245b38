"""What the week must have become, by plain SQL over what was sent: nothing of the product is asked."""

from dataclasses import dataclass

import duckdb
import polars as pl

_COUNTED = """
    CREATE VIEW accepted AS
        SELECT DISTINCT ON (event_id) * REPLACE (
            CASE WHEN consent_analytics THEN user_id END AS user_id,
            -- Without analytics each event stands in a session of its own.
            CASE WHEN consent_analytics THEN session_id ELSE event_id END AS session_id
        )
        FROM sent;
    CREATE VIEW counted AS
        SELECT *, epoch_us(occurred_at) AS moment FROM accepted
        WHERE occurred_at >= (SELECT max(occurred_at) FROM accepted) - INTERVAL 2 HOUR;
"""

_SESSIONS = """
    WITH visits AS (
        SELECT * FROM counted
        WHERE consent AND consent_analytics AND event_type NOT IN ('impression', 'seen_impression', 'search_result')
    ),
    items AS (
        SELECT session_id, list(item_id ORDER BY moment, event_id) AS item_ids, list(event_type ORDER BY moment, event_id) AS event_types
        FROM visits WHERE event_type IN ('product_view', 'click', 'add_to_cart', 'remove_from_cart', 'purchase') GROUP BY session_id
    ),
    last_changes AS (
        SELECT DISTINCT ON (session_id, item_id) session_id, item_id, event_type, moment, event_id
        FROM visits WHERE event_type IN ('add_to_cart', 'remove_from_cart', 'purchase')
        ORDER BY session_id, item_id, moment DESC, event_id DESC
    ),
    carts AS (
        SELECT session_id, list(item_id ORDER BY moment, event_id) AS cart
        FROM last_changes WHERE event_type = 'add_to_cart' GROUP BY session_id
    ),
    words AS (
        SELECT session_id, list(query ORDER BY moment, event_id) FILTER (event_type = 'search') AS queries,
            coalesce(sum(dwell_ms) FILTER (event_type = 'dwell'), 0)::BIGINT AS dwell_ms
        FROM visits GROUP BY session_id
    )
    SELECT session_id, coalesce(item_ids[-50:], []) AS item_ids, coalesce(event_types[-50:], []) AS event_types,
        coalesce(cart[-50:], []) AS cart, coalesce(queries[-10:], []) AS queries, dwell_ms
    FROM words LEFT JOIN items USING (session_id) LEFT JOIN carts USING (session_id)
    ORDER BY session_id
"""

_BOUGHT = """
    SELECT user_id, list(DISTINCT item_id ORDER BY item_id) AS item_ids FROM counted
    WHERE event_type = 'purchase' AND consent AND user_id IS NOT NULL GROUP BY user_id
    HAVING count(DISTINCT (item_id, session_id)) <= 200 ORDER BY user_id
"""

_COUNTERS = """
    SELECT item_id, count(DISTINCT (coalesce(user_id, ''), session_id)) AS baskets FROM counted
    WHERE event_type = 'purchase' AND consent GROUP BY item_id ORDER BY item_id
"""

_OUTCOMES = """
    WITH shown AS (
        SELECT request_id, item_id, position, session_id, user_id, moment FROM counted WHERE event_type = 'impression'
    ),
    rules AS (
        SELECT * FROM (VALUES
            ('click', 'click', 30, false), ('click', 'product_view', 30, false), ('click', 'add_to_cart', 30, true),
            ('click', 'purchase', 30, true), ('cart', 'add_to_cart', 24 * 60, false), ('purchase', 'purchase', 7 * 24 * 60, false)
        ) AS rule (objective, event_type, minutes, is_only_named)
    ),
    pairs AS (
        SELECT event.event_id, objective, shown.request_id, shown.item_id, shown.position, shown.moment AS shown_at,
            event.moment AS followed_at,
            event.request_id IS NOT DISTINCT FROM shown.request_id AS is_named,
            CASE WHEN objective = 'purchase' THEN event.quantity * event.unit_price END AS value
        FROM counted AS event JOIN rules USING (event_type) JOIN shown ON shown.item_id = event.item_id AND (
            shown.request_id = event.request_id OR shown.session_id = event.session_id OR shown.user_id = event.user_id
        )
        WHERE event.moment BETWEEN shown.moment AND shown.moment + minutes::BIGINT * 60000000
            AND (event.request_id IS NOT DISTINCT FROM shown.request_id OR NOT is_only_named)
    ),
    winners AS (
        SELECT DISTINCT ON (event_id, objective) * FROM pairs
        ORDER BY event_id, objective, is_named DESC, shown_at DESC, position, request_id
    ),
    by_place AS (
        SELECT request_id, item_id, position, objective, count(*) AS events, min(followed_at) AS followed_at, sum(value) AS value,
            CASE WHEN bool_or(is_named) THEN 'request' ELSE 'last_touch' END AS rule
        FROM winners GROUP BY ALL
    )
    SELECT request_id, item_id, position, objective, coalesce(events, 0)::BIGINT AS events, followed_at, rule, round(value, 9) AS value
    FROM shown CROSS JOIN (SELECT DISTINCT objective FROM rules) LEFT JOIN by_place USING (request_id, item_id, position, objective)
    ORDER BY ALL
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """Attributes:
    types: `event_type`, `events`: each event once.
    accepted: ids of all events.
    counted: ids of those that are not too late.
    sessions: `session_id`, `item_ids`, `event_types`, `cart`, `queries`, `dwell_ms`, a row a visit.
    bought: `user_id`, `item_ids`, of those of whom the store has all.
    counters: `item_id`, `baskets`.
    outcomes: `request_id`, `item_id`, `position`, `objective`, `events`, `followed_at` (microseconds), `rule`, `value`.
    """

    types: pl.DataFrame
    accepted: set[str]
    counted: set[str]
    sessions: pl.DataFrame
    bought: pl.DataFrame
    counters: pl.DataFrame
    outcomes: pl.DataFrame


def expected_of(sent: pl.DataFrame) -> Expected:
    """From rows of `sent_table`."""
    with duckdb.connect() as sql:
        sql.execute("SET TimeZone = 'UTC'")
        sql.register("sent_rows", sent.to_arrow())
        sql.execute("CREATE TABLE sent AS SELECT * FROM sent_rows")
        sql.execute(_COUNTED)

        def ids(view: str) -> set[str]:
            return {row[0] for row in sql.execute(f"SELECT event_id FROM {view}").fetchall()}  # noqa: S608 - names are ours

        def rows(query: str) -> pl.DataFrame:
            found = pl.from_arrow(sql.sql(query).to_arrow_table())
            assert isinstance(found, pl.DataFrame)
            return found

        types = rows("SELECT event_type, count(*) AS events FROM accepted GROUP BY event_type ORDER BY event_type")
        tables = [rows(query) for query in (_SESSIONS, _BOUGHT, _COUNTERS, _OUTCOMES)]
        return Expected(types, ids("accepted"), ids("counted"), *tables)
