"""Events of a visit are of who identified in it: from then on, never before, and as the stream has them."""

import ibis
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibis.config import Config

from endcap.contracts.event import Event
from endcap.contracts.tables import arrow_schema
from endcap.features.identified import has_identities, identified
from endcap.features.store.names import RECENT_LIFE_SECONDS
from tests.endcap.events.stream.person_events import Row, event, frame
from tests.properties import examples

VISITS = st.sampled_from(["v1", "v2"])
IDENTITIES = st.lists(st.tuples(VISITS, st.sampled_from(["u1", "u2"]), st.integers(0, 9), st.sampled_from([True, True, False])), max_size=5)
VIEWS = st.lists(st.tuples(VISITS, st.sampled_from([None, None, "u3"]), st.integers(0, 9)), min_size=1, max_size=8)


def identity(number: int, visit: str, user: str, at: int, consent: bool = True) -> Row:
    return event(number, "identity", at, session_id=visit, user_id=user, item_id=None, quantity=None, consent=consent)


def users_of(events: list[Row]) -> dict[str, str | None]:
    """Who each event is of, by its id."""
    connection = ibis.duckdb.connect()
    connection.con.register("events", frame(events).to_arrow())
    table = connection.table("events")
    assert has_identities(table) == any(row["event_type"] == "identity" and row["consent"] for row in events)
    found = pl.DataFrame(connection.to_pyarrow(identified(table)))
    assert found.columns == frame(events).columns
    assert found.height == len(events)
    return dict(found.select("event_id", "user_id").iter_rows())


def walked(row: Row, events: list[Row]) -> str | None:
    """The same by looking at every identity."""
    known = [
        (one["occurred_at"], one["event_id"], one["user_id"])
        for one in events
        if one["event_type"] == "identity" and one["consent"] and one["session_id"] == row["session_id"]
    ]
    past = [each for each in known if each[0] <= row["occurred_at"]]
    return row["user_id"] or (max(past)[2] if past else None)


@examples(5)
@given(IDENTITIES, VIEWS)
def test_an_event_is_of_the_last_who_identified_in_its_visit_by_then(
    identities: list[tuple[str, str, int, bool]], views: list[tuple[str, str | None, int]]
) -> None:
    events = [identity(number, *given_) for number, given_ in enumerate(identities)]
    events += [event(100 + number, "product_view", at, session_id=visit, user_id=user) for number, (visit, user, at) in enumerate(views)]
    assert users_of(events) == {row["event_id"]: walked(row, events) for row in events}


def test_nobody_is_known_by_an_identity_of_long_ago() -> None:
    views = [event(number, "product_view", RECENT_LIFE_SECONDS + number, user_id=None) for number in range(2)]
    found = users_of([identity(9, "v", "u", 0), *views])
    assert [found[row["event_id"]] for row in views] == ["u", None]


@pytest.mark.parametrize("dialect", ["pyspark", "duckdb"])
def test_it_compiles_for_spark_as_it_does_for_duckdb(dialect, monkeypatch) -> None:
    class SparkOptions(Config):
        """What the Spark backend would register if it were installed."""

        treat_nan_as_null: bool = False

    if ibis.options.pyspark is None:
        monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    events = ibis.table(ibis.Schema.from_pyarrow(arrow_schema(Event)), name="events")
    assert ibis.to_sql(identified(events), dialect=dialect).startswith(("SELECT", "WITH"))
