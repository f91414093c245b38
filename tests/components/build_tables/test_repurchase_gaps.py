from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from endcap_components.build_tables.popularity import GAPS_MIN, repurchase_gap_days

START = datetime(2026, 1, 1, tzinfo=UTC)


def purchases(*rows: tuple[str, int, float]) -> pl.DataFrame:
    """User, item and day of each."""
    return pl.DataFrame(
        {
            "user_id": [user for user, _, _ in rows],
            "item_index": [item for _, item, _ in rows],
            "session_id": [f"{user}-{day}" for user, _, day in rows],
            "occurred_at": [START + timedelta(days=day) for _, _, day in rows],
        },
        schema_overrides={"item_index": pl.Int32},
    )


def regular(user: str, item: int, every: int, times: int) -> list[tuple[str, int, float]]:
    return [(user, item, every * number) for number in range(times)]


def test_the_gap_is_the_mean_wait_over_all_users() -> None:
    gaps = repurchase_gap_days(purchases(*regular("a", 1, 7, GAPS_MIN + 1), *regular("b", 1, 21, GAPS_MIN + 1)), 2)
    assert gaps.tolist() == pytest.approx([0, 14, 0])


def test_too_few_waits_are_not_counted() -> None:
    assert not repurchase_gap_days(purchases(*regular("a", 1, 7, GAPS_MIN)), 1).any()


def test_who_bought_once_waited_for_nothing() -> None:
    single = [(f"u{number}", 1, float(number)) for number in range(50)]
    assert not repurchase_gap_days(purchases(*single), 1).any()


def test_two_entries_of_one_basket_are_no_wait() -> None:
    once, twice = regular("a", 1, 7, GAPS_MIN + 1), [row for row in regular("a", 1, 7, GAPS_MIN + 1) for _ in range(2)]
    assert repurchase_gap_days(purchases(*twice), 1).tolist() == repurchase_gap_days(purchases(*once), 1).tolist()
