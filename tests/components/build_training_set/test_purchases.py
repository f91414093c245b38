from datetime import UTC, datetime, timedelta

import polars as pl

from components.build_training_set.purchases import eligible_items, labels

START = datetime(2025, 3, 3, tzinfo=UTC)


def purchases(*rows: tuple[str, int, float, str]) -> pl.DataFrame:
    """Rows of user, item index, days after START, basket."""
    return pl.DataFrame(
        [(user, item, START + timedelta(days=days), basket, "till") for user, item, days, basket in rows],
        schema={
            "user_id": pl.String,
            "item_index": pl.Int32,
            "occurred_at": pl.Datetime("us", "UTC"),
            "session_id": pl.String,
            "device": pl.String,
        },
        orient="row",
    )


def test_labels_take_the_window_start_and_leave_its_end() -> None:
    bought = purchases(("u", 1, -1, "a"), ("u", 2, 0, "b"), ("u", 3, 27.9, "c"), ("u", 4, 28, "d"))
    assert labels(bought, START, 28)["item_index"].to_list() == [2, 3]


def test_two_lines_of_one_basket_count_once() -> None:
    bought = purchases(("u", 1, 1, "a"), ("u", 1, 1, "a"), ("u", 1, 2, "b"))
    assert labels(bought, START, 28)["baskets"].to_list() == [2]


def test_item_needs_enough_different_buyers_before_the_moment() -> None:
    bought = purchases(("u", 1, -3, "a"), ("u", 1, -2, "b"), ("v", 1, -1, "c"), ("u", 2, -2, "d"), ("v", 2, 0, "e"))
    assert eligible_items(bought, START, min_buyers=2)["item_index"].to_list() == [1]
