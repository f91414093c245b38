from typing import Any

import polars as pl
import pytest

from endcap.evaluation.outcome_rates import Grouping, exploration_against_replaced, impressions_of, rates_by
from endcap.events.outcomes.resolution import outcomes_of
from endcap.events.outcomes.whole_log import journal_of_log
from endcap.events.outcomes.windows import Windows
from tests.endcap.events.outcomes.made_events import END, Row, event, frame


def impressions(*rows: Row) -> pl.DataFrame:
    return impressions_of(outcomes_of(journal_of_log(frame(rows), Windows(), END)))


def shown(number: int, **fields: Any) -> Row:
    return event("impression", number, 0, request_id=f"r{number}", session_id=f"s{number}", **fields)


def followed(kind: str, number: int, of: int, **fields: Any) -> Row:
    return event(kind, number, 5, request_id=f"r{of}", session_id=f"s{of}", **fields)


def test_rates_are_of_all_that_was_served_where_nothing_says_what_was_seen() -> None:
    rows = [*(shown(number) for number in range(1, 5)), followed("click", 10, 1), followed("click", 11, 1), followed("purchase", 12, 2)]
    row = rates_by(impressions(*rows)).to_dicts()[0]
    assert (row["all"], row["impressions"], row["basis"]) == ("all", 4, "served")
    assert (row["ctr"], row["cart_rate"], row["conversion"]) == (0.5, 0.0, 0.25)
    assert (row["revenue_per_1000"], row["currency"]) == (500.0, "EUR")


def test_where_pages_say_what_was_seen_only_that_counts() -> None:
    seen = [event("seen_impression", 20 + number, 1, request_id=f"r{number}", position=1) for number in (1, 2)]
    rows = [*(shown(number) for number in range(1, 5)), shown(5, surface="mail"), *seen, followed("click", 10, 1), followed("click", 11, 3)]
    by_surface = {row["surface"]: row for row in rates_by(impressions(*rows), Grouping.SURFACE).to_dicts()}
    assert (by_surface["home"]["impressions"], by_surface["home"]["ctr"], by_surface["home"]["basis"]) == (2, 0.5, "seen")
    assert (by_surface["mail"]["impressions"], by_surface["mail"]["basis"]) == (1, "served")
    assert rates_by(impressions(*rows))["basis"].to_list() == ["mixed"]


def test_the_interval_of_a_share_is_wilsons() -> None:
    row = rates_by(impressions(*(shown(number) for number in range(1, 11)), followed("click", 20, 1))).to_dicts()[0]
    assert (row["ctr_low"], row["ctr"], row["ctr_high"]) == pytest.approx((0.01788, 0.1, 0.40415), abs=1e-4)


def test_revenue_has_an_interval_over_lists() -> None:
    rows = [*(shown(number) for number in range(1, 5)), followed("purchase", 10, 1)]
    row = rates_by(impressions(*rows)).to_dicts()[0]
    assert row["revenue_per_1000_low"] == 0
    assert row["revenue_per_1000_high"] == pytest.approx(500 + 1.959964 * 500, rel=1e-3)


def test_revenue_in_several_currencies_is_none() -> None:
    rows = [shown(1), shown(2), followed("purchase", 10, 1), followed("purchase", 11, 2, currency="USD")]
    row = rates_by(impressions(*rows)).to_dicts()[0]
    assert (row["revenue_per_1000"], row["currency"], row["conversion"]) == (None, None, 1.0)


@pytest.mark.parametrize("by", list(Grouping))
def test_each_grouping_adds_up_to_all(by: Grouping) -> None:
    rows = [
        shown(1, variant="a"),
        shown(2, variant="b", position=3, source="ease", bundle="endcap-8"),
        shown(3, surface=None, variant=None),
    ]
    table = rates_by(impressions(*rows, followed("click", 10, 1)), by)
    assert table["impressions"].sum() == 3
    assert (table["ctr"] * table["impressions"]).sum() == pytest.approx(1)


def test_places_stand_in_their_order() -> None:
    rows = [shown(1, position=10), shown(2, position=2), shown(3, position=2)]
    assert rates_by(impressions(*rows), Grouping.POSITION)["position"].to_list() == [2, 10]


def test_explored_places_are_held_against_ranked_ones_at_the_same_places() -> None:
    ranked = [shown(number, position=2 + number % 2, propensity=0.9) for number in range(1, 9)]
    explored = [shown(number, position=2, propensity=0.01) for number in range(11, 15)]
    clicks = [followed("click", 100 + number, number) for number in (2, 4, 11)]
    rows = exploration_against_replaced(impressions(*ranked, *explored, *clicks)).to_dicts()
    ctr = rows[0]
    assert (ctr["rate"], ctr["explored_impressions"], ctr["explored"], ctr["replaced"]) == ("ctr", 4, 0.25, 0.5)
    assert ctr["difference_low"] < ctr["difference"] == -0.25 < ctr["difference_high"]


def test_without_explored_places_there_is_nothing_to_compare() -> None:
    assert exploration_against_replaced(impressions(shown(1))).is_empty()
    assert rates_by(impressions()).is_empty()
