from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from endcap_components.build_training_set.purchases import divide_by_user, first_purchases, labels, part_of

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
    assert labels(bought.lazy(), START, 28)["item_index"].to_list() == [2, 3]


def test_two_lines_of_one_basket_count_once() -> None:
    bought = purchases(("u", 1, 1, "a"), ("u", 1, 1, "a"), ("u", 1, 2, "b"))
    assert labels(bought.lazy(), START, 28)["baskets"].to_list() == [2]


def test_every_user_falls_into_one_part(tmp_path: Path) -> None:
    bought = purchases(*((f"u{number % 20}", number % 7 + 1, number, f"{number}") for number in range(100)))
    bought.write_parquet(tmp_path / "purchases.parquet")
    divide_by_user(tmp_path / "purchases.parquet", tmp_path / "parts", 6)
    parts = [part_of(tmp_path / "parts", part) for part in range(6)]
    users = [set(part["user_id"]) for part in parts]
    assert sum(map(len, users)) == len(set().union(*users)) == 20
    assert sum(len(one) > 0 for one in users) > 2
    columns = ["user_id", "occurred_at", "item_index", "session_id"]
    assert pl.concat(parts).sort(columns).equals(bought.sort(columns))
    assert part_of(tmp_path / "parts", 99).schema == bought.schema


def test_first_purchase_of_an_item_is_kept() -> None:
    first = first_purchases(purchases(("u", 1, 5, "b"), ("u", 1, 1, "a"), ("u", 2, 3, "c")))
    assert first.select("item_index", (pl.col("occurred_at") - START).dt.total_days().alias("days")).rows() == [(1, 1), (2, 3)]
