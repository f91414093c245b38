from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from endcap_components.build_training_set.purchases import divide_by_user, first_purchases, known_at, labels, part_of, write_purchases
from tests.endcap.features.made_shop import item, purchase, write_shop

START = datetime(2025, 3, 3, tzinfo=UTC)


def purchases(*rows: tuple[str, int, float, str] | tuple[str, int, float, str, float]) -> pl.DataFrame:
    """Rows of user, item index, days after START, basket, and days after START when it was returned, where it was."""
    made = []
    for user, item_index, days, basket, *returned in rows:
        back = START + timedelta(days=returned[0]) if returned else None
        made.append((user, item_index, START + timedelta(days=days), basket, "till", back))
    return pl.DataFrame(
        made,
        schema={
            "user_id": pl.String,
            "item_index": pl.Int32,
            "occurred_at": pl.Datetime("us", "UTC"),
            "session_id": pl.String,
            "device": pl.String,
            "taken_off_at": pl.Datetime("us", "UTC"),
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
    parts = [part_of(tmp_path / "parts", part, bought.schema) for part in range(6)]
    users = [set(part["user_id"]) for part in parts]
    assert sum(map(len, users)) == len(set().union(*users)) == 20
    assert sum(len(one) > 0 for one in users) > 2
    columns = ["user_id", "occurred_at", "item_index", "session_id"]
    assert pl.concat(parts).sort(columns).equals(bought.sort(columns))
    assert part_of(tmp_path / "parts", 99, bought.schema).schema == bought.schema


def test_first_purchase_of_an_item_is_kept() -> None:
    first = first_purchases(purchases(("u", 1, 5, "b"), ("u", 1, 1, "a"), ("u", 2, 3, "c")))
    assert first.select("item_index", (pl.col("occurred_at") - START).dt.total_days().alias("days")).rows() == [(1, 1), (2, 3)]


def test_what_is_returned_within_the_window_is_no_label_and_what_is_returned_after_it_is_one() -> None:
    bought = purchases(("u", 1, 1, "a", 5), ("u", 2, 1, "a", 28), ("u", 3, 1, "a", 40), ("u", 4, 1, "a"))
    assert labels(bought.lazy(), START, 28)["item_index"].to_list() == [2, 3, 4]


def test_first_purchase_is_the_first_that_stands() -> None:
    first = first_purchases(purchases(("u", 1, 1, "a", 5), ("u", 1, 3, "b", 9), ("u", 1, 12, "c")))
    days = {}
    for day in (1, 2, 5, 6, 9, 10, 12, 13):
        known = first.filter(known_at(pl.lit(START + timedelta(days=day))))
        days[day] = [(moment - START).days for moment in known["occurred_at"]]
    assert days == {1: [], 2: [1], 5: [1], 6: [3], 9: [3], 10: [], 12: [], 13: [12]}


def test_purchases_say_when_they_were_returned(tmp_path: Path) -> None:
    write_shop(
        tmp_path,
        [
            purchase("u", "i", START, event_id="kept"),
            purchase("u", "i", START + timedelta(days=1), event_id="returned", session_id="b"),
            purchase("u", "i", START + timedelta(days=3), event_id="r", session_id="c", event_type="return", unit_price=None),
        ],
        [item("i")],
    )
    index = pl.DataFrame({"item_id": ["i"], "item_index": [1]}, schema_overrides={"item_index": pl.Int32})
    write_purchases(tmp_path, index, tmp_path / "purchases.parquet", tmp_path / "anonymous.parquet")
    assert pl.read_parquet(tmp_path / "purchases.parquet")["taken_off_at"].to_list() == [None, START + timedelta(days=3)]
