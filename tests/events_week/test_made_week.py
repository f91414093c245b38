"""What the test of the week stands on: visits of every kind, a plan that spares nobody, and a comparison that sees one wrong row."""

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest

from tests.events_week.expected import Expected, expected_of
from tests.events_week.killing import kills
from tests.events_week.made_week import SPAN, UNREAD, UNTOLD, made_week, sent_table
from tests.events_week.shop import PARTS
from tests.events_week.test_week import difference

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sent() -> pl.DataFrame:
    """Three hundred visits of fifty households, of three lines each."""
    random = Random(3)
    lines = [
        {"visit": f"{visit}", "household": f"{visit % 50}", "item_id": f"i{random.randrange(40)}", "quantity": 1.0, "unit_price": 2.0}
        for visit in range(300)
        for _ in range(3)
    ]
    return sent_table(made_week(pl.DataFrame(lines).with_columns(currency=pl.lit("USD")), NOW, 3))


@pytest.fixture(scope="module")
def expected(sent: pl.DataFrame) -> Expected:
    return expected_of(sent)


def test_all_kinds_of_events_are_sent_some_twice_some_late_some_too_late(sent: pl.DataFrame, expected: Expected) -> None:
    once = sent.unique("event_id")
    share = len(once) / 100
    assert 1 < (len(sent) - len(once)) / share < 3
    assert 1 < (once["occurred_at"] < NOW - timedelta(hours=2)).sum() / share < 3
    assert once["event_type"].n_unique() == 8
    assert once.filter(pl.col("occurred_at") > NOW - SPAN - timedelta(minutes=10))["occurred_at"].max() < NOW
    assert len(expected.accepted) == len(once) > len(expected.counted)


def test_visits_without_consent_have_no_session_and_no_purchase_that_counts(sent: pl.DataFrame, expected: Expected) -> None:
    marks = set(sent["session_id"].str.split(" ").list.first())
    assert marks == {"visit", UNREAD, UNTOLD}
    assert set(expected.sessions["session_id"].str.split(" ").list.first()) == {"visit"}
    assert set(expected.bought["user_id"].str.split(" ").list.first()) == {"household"}


def test_carts_queries_and_both_rules_of_attribution_occur(expected: Expected) -> None:
    for column in ("cart", "queries"):
        assert 0 < (expected.sessions[column].list.len() > 0).sum() < len(expected.sessions)
    kinds = set(expected.outcomes.select("objective", "rule").drop_nulls().rows())
    assert kinds >= {(kind, rule) for kind in ("click", "cart", "purchase") for rule in ("request", "last_touch")}


@pytest.mark.parametrize("seed", range(20))
def test_each_part_is_killed_one_after_the_other_and_comes_back_before_the_end(seed: int) -> None:
    plan = kills(500, Random(seed))
    assert {each.part for each in plan} == set(PARTS)
    moments = [moment for each in plan for moment in (each.at, each.back_at)]
    assert moments == sorted(moments) and moments[0] > 0 and moments[-1] < 500


def test_a_row_that_is_missing_doubled_or_different_is_seen(expected: Expected) -> None:
    wanted = expected.counters
    assert difference("counters", wanted, wanted) == ""
    assert "1 of" in difference("counters", wanted, wanted.head(-1))
    assert difference("counters", wanted, pl.concat([wanted, wanted.head(1)]))
    assert difference("counters", wanted, wanted.with_columns(baskets=pl.col("baskets") + (pl.col("item_id") == "i1").cast(pl.Int64)))
