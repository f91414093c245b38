from datetime import timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.events.outcomes.resolution import outcomes_of
from endcap.events.outcomes.whole_log import journal_of_log
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.function import Instant
from tests.endcap.events.outcomes.driven import LAG, journal_of_batches
from tests.endcap.events.outcomes.made_events import END, Row, event, frame, logs, walked
from tests.properties import examples

WINDOWS = Windows()


def outcomes(*rows: Row) -> pl.DataFrame:
    return outcomes_of(journal_of_log(frame(rows), WINDOWS, END))


def followed(found: pl.DataFrame, objective: str) -> dict[tuple[str, int], Any]:
    """Rule by request and position, of the places that were followed."""
    rows = found.filter(pl.col("objective") == objective, pl.col("followed")).to_dicts()
    return {(row["request_id"], row["position"]): row["rule"] for row in rows}


def counts(found: pl.DataFrame) -> dict[tuple[str, str, int, str], tuple[int, float, float, float]]:
    return {
        (row["request_id"], row["item_id"], row["position"], row["objective"]): (
            row["events"],
            row["value"] or 0.0,
            row["weighted_events"],
            row["weighted_value"] or 0.0,
        )
        for row in found.to_dicts()
    }


def shuffled_within_watermark(rows: list[Row], random: Random) -> list[Row]:
    """Each event up to nearly the watermark's lag late."""
    lag = LAG.total_seconds() - 1
    return sorted(rows, key=lambda row: row["occurred_at"].timestamp() + random.random() * lag)


@given(logs())
@examples(15)
def test_a_whole_log_is_joined_as_a_person_would_by_hand(rows: list[Row]) -> None:
    found, expected = counts(outcomes(*rows)), walked(rows)
    assert set(found) == set(expected)
    assert {place: found[place] for place in found} == {place: pytest.approx(expected[place], abs=1e-9) for place in expected}


@given(logs(), st.integers(0, 2**32))
@examples(15)
def test_shuffles_doubles_and_restarts_change_nothing(rows: list[Row], seed: int) -> None:
    random = Random(seed)
    sent = shuffled_within_watermark(rows + random.sample(rows, len(rows) // 3), random)
    cuts = sorted(random.choices(range(len(sent) + 1), k=4))
    batches = [frame(sent[start:end]) for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    streamed = outcomes_of(journal_of_batches(batches, WINDOWS)[0])
    whole = outcomes(*rows)
    assert streamed.drop("weighted_events", "weighted_value").equals(whole.drop("weighted_events", "weighted_value"))
    assert counts(streamed) == {place: pytest.approx(each, abs=1e-9) for place, each in counts(whole).items()}


def test_an_event_that_names_its_request_counts_for_it_though_another_list_was_newer() -> None:
    found = outcomes(event("impression", 1, 0), event("impression", 2, 5, request_id="r2"), event("click", 3, 6, request_id="r1"))
    assert followed(found, "click") == {("r1", 1): "request"}


def test_an_event_without_a_request_counts_for_the_newest_impression_of_the_person() -> None:
    found = outcomes(event("impression", 1, 0), event("impression", 2, 5, request_id="r2"), event("click", 3, 6))
    assert followed(found, "click") == {("r2", 1): "last_touch"}


def test_an_event_that_names_a_request_without_its_item_counts_by_last_touch() -> None:
    found = outcomes(event("impression", 1, 0), event("click", 2, 6, request_id="lost"))
    assert followed(found, "click") == {("r1", 1): "last_touch"}


def test_a_purchase_after_log_in_counts_for_what_was_shown_in_the_visit_before_it() -> None:
    found = outcomes(
        event("impression", 1, 0, session_id="other", user_id="u1", request_id="r0"),
        event("impression", 2, 60),
        event("purchase", 3, 90, user_id="u1"),
    )
    assert followed(found, "purchase") == {("r1", 1): "last_touch"}
    weighted = found.filter(pl.col("objective") == "purchase")["weighted_events"].to_list()
    assert weighted == [0.5, 0.5]


def test_a_purchase_in_a_later_visit_counts_for_what_the_user_was_shown() -> None:
    found = outcomes(event("impression", 1, 0, user_id="u1"), event("purchase", 2, 3000, user_id="u1", session_id="later"))
    assert followed(found, "purchase") == {("r1", 1): "last_touch"}


def test_after_the_log_in_a_visit_is_the_users_though_its_events_do_not_say_so() -> None:
    shown, log_in = event("impression", 1, 0, user_id="u1", session_id="phone"), event("identity", 2, 60, item_id=None, user_id="u1")
    bought = outcomes(shown, log_in, event("purchase", 3, 90))
    assert followed(bought, "purchase") == {("r1", 1): "last_touch"}


def test_what_was_done_before_the_log_in_is_not_the_users() -> None:
    shown, log_in = event("impression", 1, 0, user_id="u1", session_id="phone"), event("identity", 2, 60, item_id=None, user_id="u1")
    assert followed(outcomes(shown, log_in, event("purchase", 3, 59)), "purchase") == {}


@pytest.mark.parametrize(("kind", "minutes"), [("click", 30), ("add_to_cart", 24 * 60), ("purchase", 7 * 24 * 60)])
def test_what_follows_counts_up_to_the_end_of_its_window(kind: str, minutes: int) -> None:
    objective = {"add_to_cart": "cart"}.get(kind, kind)
    in_time = outcomes(event("impression", 1, 0), event(kind, 2, minutes))
    late = outcomes(event("impression", 1, 0), event(kind, 2, minutes + 0.01))
    before = outcomes(event("impression", 1, 1), event(kind, 2, 0))
    assert [len(followed(found, objective)) for found in (in_time, late, before)] == [1, 0, 0]


@pytest.mark.parametrize("other", [{"item_id": "B"}, {"session_id": "s2"}, {"session_id": "s2", "user_id": "u2"}])
def test_other_items_and_other_people_are_no_outcome(other: dict[str, Any]) -> None:
    assert followed(outcomes(event("impression", 1, 0), event("click", 2, 1, **other)), "click") == {}


def test_a_purchase_is_a_click_on_the_list_that_it_names_only() -> None:
    assert followed(outcomes(event("impression", 1, 0), event("purchase", 2, 1, request_id="r1")), "click") == {("r1", 1): "request"}
    assert followed(outcomes(event("impression", 1, 0), event("purchase", 2, 1)), "click") == {}


def test_seen_and_served_are_one_place_in_either_order() -> None:
    seen = event("seen_impression", 2, 1, request_id="r1", position=1)
    for rows in ([event("impression", 1, 0), seen], [seen, event("impression", 1, 2)]):
        found = outcomes(*rows)
        assert found["seen_at"].to_list() == [seen["occurred_at"]] * 3


def test_what_was_only_seen_is_no_impression() -> None:
    assert outcomes(event("seen_impression", 1, 1, request_id="r1", position=1)).is_empty()


def test_a_return_takes_the_purchase_off_later_and_in_part() -> None:
    shown, bought = event("impression", 1, 0), event("purchase", 2, 10, quantity=4.0, order_id="o")
    part = outcomes(shown, bought, event("return", 3, 100, order_id="o", quantity=1.0))
    whole = outcomes(shown, bought, event("cancellation", 3, 100, item_id=None, order_id="o"))
    purchases = [found.filter(pl.col("objective") == "purchase").to_dicts()[0] for found in (part, whole)]
    assert [(row["followed"], row["value"]) for row in purchases] == [(True, 6.0), (False, None)]


def test_revenue_in_two_currencies_has_no_currency() -> None:
    bought = [event("purchase", 2, 1), event("purchase", 3, 2, currency="USD")]
    found = outcomes(event("impression", 1, 0), *bought).filter(pl.col("objective") == "purchase").to_dicts()[0]
    assert (found["events"], found["currency"]) == (2, None)


def test_experiments_and_the_rest_of_an_impression_are_kept() -> None:
    arms = [{"experiment": "e", "variant": "b", "layer": "l"}]
    found = outcomes(event("impression", 1, 0, experiments=arms, served_by="shop", team="a", variant="v"))
    row = found.to_dicts()[0]
    assert (row["experiments"], row["served_by"], row["team"], row["variant"], row["bundle"]) == (arms, "shop", "a", "v", "endcap-7")


def test_state_is_forgotten_once_nothing_can_follow_any_more() -> None:
    rows = [event("impression", 1, 0), event("click", 2, 1), event("seen_impression", 3, 1, request_id="r1", position=1)]
    _, driven = journal_of_batches([frame(rows)], WINDOWS)
    for each in driven:
        if each.due.height:
            assert each.due["due_at"].min() > rows[0]["occurred_at"]
        later = rows[0]["occurred_at"] + timedelta(days=8)
        each.step(frame([]), Instant(later, later - LAG))
        assert each.state.is_empty()
