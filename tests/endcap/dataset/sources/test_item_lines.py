"""Items out of lines of orders."""

import random
from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import InvalidInput
from endcap.dataset.layout import Dataset
from endcap.dataset.sources.folder import import_folder

HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Group,Maker"
MAPPING = """
currency: GBP
time_zone: Europe/London
tables:
  items:
    files: lines*.csv
    columns: {item_id: StockCode, title: Description, price: Price, brand: Maker, category_path: Group, created_at: InvoiceDate}
    one_row_an_id: true
  events:
    files: lines*.csv
    columns:
      {session_id: Invoice, occurred_at: InvoiceDate, item_id: StockCode, quantity: Quantity, unit_price: Price, user_id: Customer ID}
    constants: {event_type: purchase}
    returns: {quantity_below: 0, column: Invoice, starts_with: C}
"""


def line(code: str, title: str, day: int, price: float | str = 1.0, kind: str = "Home,Acme") -> str:
    """`kind` is category and brand."""
    return f'536365,{code},"{title}",1,2010-12-{day:02} 08:26,{price},17850,{kind}'


def bring_in(folder: Path, lines: list[str], mapping: str = MAPPING, share: float = 0.01) -> Dataset:
    shop = folder / "shop"
    shop.mkdir(exist_ok=True)
    (shop / "lines.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    (folder / "mapping.yaml").write_text(mapping)
    return import_folder(shop, folder / "mapping.yaml", folder / "data", share)[0]


def items(dataset: Dataset) -> list[dict]:
    return pl.read_parquet(dataset.table("items")).to_dicts()


def test_one_row_an_id_has_the_newest_title_and_price_and_what_most_lines_say(tmp_path: Path) -> None:
    dataset = bring_in(
        tmp_path,
        [
            line("A", "new name", 20, 3.5, "Gifts,Best"),
            line("A", "old name", 1, 2.5, "Home,Acme"),
            line("A", "older name", 2, 9.5, "Home,Acme"),
            line("B", "other", 3, 1.0),
        ],
    )
    assert dataset.rows == {"items": 2, "events": 4}
    assert dataset.rejected == {"items": 0, "events": 0}
    first, second = items(dataset)
    assert (first["item_id"], first["title"], first["price"]) == ("A", "new name", 3.5)
    assert (first["brand"], first["category_path"], first["currency"]) == ("Acme", ["Home"], "GBP")
    assert (first["created_at"].day, second["item_id"]) == (1, "B")


def test_the_newest_of_equally_frequent_brands_and_categories_stays(tmp_path: Path) -> None:
    dataset = bring_in(tmp_path, [line("A", "x", 2, 1.0, "Gifts,Best"), line("A", "x", 1, 1.0, "Home,Acme")])
    assert (items(dataset)[0]["brand"], items(dataset)[0]["category_path"]) == ("Best", ["Gifts"])


def test_corrections_without_a_price_do_not_rename_an_item(tmp_path: Path) -> None:
    dataset = bring_in(tmp_path, [line("A", "Lantern", 1, 2.5), line("A", "damages", 9, 0), line("B", "only ever given away", 3, 0)])
    assert [(item["title"], item["price"]) for item in items(dataset)] == [("Lantern", 2.5), ("only ever given away", 0.0)]


def test_bad_values_of_a_line_cost_its_item_nothing(tmp_path: Path) -> None:
    lines = [line("A", "Lantern", 1, 2.5), line("A", "", 5, "n/a"), line("A", "x" * 600, 6, -3)]
    dataset = bring_in(tmp_path, lines, share=0.7)
    assert [(item["title"], item["price"]) for item in items(dataset)] == [("Lantern", 2.5)]
    assert dataset.rejected["items"] == 0


def test_an_item_is_called_by_its_id_only_where_no_line_gives_a_title(tmp_path: Path) -> None:
    lines = [line("A", "Lantern", 1), line("A", "", 2), line("B", "", 3)]
    assert [item["title"] for item in items(bring_in(tmp_path, lines))] == ["Lantern", "B"]


def test_lines_without_an_id_are_refused_by_their_own_number(tmp_path: Path) -> None:
    lines = [line("A", "Lantern", 1), line("", "postage", 2), line("A", "Lantern", 3)]
    dataset = bring_in(tmp_path, lines, share=0.4)
    refused = pl.read_parquet(dataset.rejected_file).filter(pl.col("table") == "items")
    assert refused.select("file", "row_number", "column").rows() == [("lines.csv", 2, "item_id")]
    assert (dataset.rows["items"], dataset.rejected["items"]) == (1, 1)


def test_without_times_the_last_line_is_the_newest(tmp_path: Path) -> None:
    mapping = MAPPING.replace(", created_at: InvoiceDate}", "}")
    dataset = bring_in(tmp_path, [line("A", "first", 9), line("A", "last", 1)], mapping)
    assert (items(dataset)[0]["title"], items(dataset)[0]["created_at"]) == ("last", None)


def test_many_files_make_the_same_items_as_one(tmp_path: Path) -> None:
    rng = random.Random(1)
    lines = [
        line(f"I{rng.randrange(40)}", f"name {rng.randrange(9)}", rng.randrange(1, 29), rng.randrange(5), f"G{rng.randrange(3)},Acme")
        for _ in range(400)
    ]
    whole = items(bring_in(tmp_path, lines))
    again = tmp_path / "again"
    (again / "shop").mkdir(parents=True)
    for number in range(1, 10):
        (again / "shop" / f"lines{number}.csv").write_text("\n".join([HEADER, *lines[40 * number : 40 * (number + 1)]]) + "\n")
    assert items(bring_in(again, lines[:40])) == whole
    assert {item["item_id"] for item in whole} == {each.split(",")[1] for each in lines}


def test_only_items_are_made_from_lines(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="only items can be made from lines"):
        bring_in(tmp_path, [line("A", "x", 1)], MAPPING.replace("    returns:", "    one_row_an_id: true\n    returns:"))
