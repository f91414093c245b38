"""What shops of nine shapes would export, as files with a mapping; the lines are those of the made shops."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests.journeys.shops import START, Catalogue, Line, catalogue_rows, item_id, shoppers, write_receipt_files

MAPPING = "mapping.yaml"


def receipts_with_returns(folder: Path) -> None:
    """Lines of receipts and nothing else: the catalogue stands on the lines, and what comes back is a line with a minus."""
    write_receipt_files(folder, shoppers())
    mapping = """
source: receipts
currency: GBP
time_zone: Europe/London
tables:
  items:
    files: lines.csv
    one_row_an_id: true
    columns: {item_id: StockCode, title: Description, price: Price, created_at: InvoiceDate}
  events:
    files: lines.csv
    columns:
      {session_id: Invoice, user_id: Customer ID, item_id: StockCode, quantity: Quantity, unit_price: Price, occurred_at: InvoiceDate}
    constants: {event_type: purchase}
    returns: {column: Invoice, starts_with: C}
"""
    _write_mapping(folder, mapping)


def web_visits(folder: Path) -> None:
    """Views and orders in files of their own, times as milliseconds, most visitors unknown; the catalogue as JSON lines."""
    rng = np.random.default_rng(1)
    orders = [line for line in shoppers(users=80, weeks=20, seed=1, again=0.1) if rng.random() < 0.2]
    _write_products(folder)
    views: list[list[Any]] = []
    for number in range(3000):
        visitor = f"u{rng.integers(0, 80):03}" if rng.random() < 0.2 else ""
        at = START + timedelta(days=int(rng.integers(0, 140)), minutes=int(rng.integers(0, 900)))
        views.append([round(at.timestamp() * 1000), visitor, f"w{number % 700}", item_id(int(rng.integers(0, 40)))])
    _write_csv(folder / "views.csv", "time,visitor,visit,item", views)
    _write_csv(
        folder / "orders.csv",
        "time,visitor,visit,item,price",
        ([round(line.at.timestamp() * 1000), line.user, line.visit, line.item, line.price] for line in orders),
    )
    mapping = """
source: web
currency: EUR
tables:
  items:
    files: products.jsonl
    columns: {item_id: sku, title: name, category_path: path, brand: brand, price: price}
  events:
    - files: views.csv
      columns: {occurred_at: time, user_id: visitor, session_id: visit, item_id: item}
      constants: {event_type: product_view}
      epoch_unit: ms
    - files: orders.csv
      columns: {occurred_at: time, user_id: visitor, session_id: visit, item_id: item, unit_price: price}
      constants: {event_type: purchase, quantity: 1}
      epoch_unit: ms
"""
    _write_mapping(folder, mapping)


def tills(folder: Path) -> None:
    """Baskets of tills without customers, as a spreadsheet of this country writes them: semicolons, decimal commas, date and hour apart."""
    _write_products(folder)
    _write_csv(
        folder / "bons.csv",
        "Bon;Datum;Uhrzeit;Artikel;Menge;Preis",
        ([line.visit, f"{line.at:%d.%m.%Y}", f"{line.at:%H:%M}", line.item, "1,0", "2,50"] for line in shoppers(seed=2)),
        encoding="cp1252",
    )
    mapping = """
source: tills
currency: EUR
time_zone: Europe/Berlin
tables:
  items:
    files: products.jsonl
    columns: {item_id: sku, title: name, category_path: path, brand: brand, price: price}
  events:
    files: bons.csv
    delimiter: ";"
    encoding: cp1252
    decimal_comma: true
    time_format: "%d.%m.%Y %H:%M"
    columns: {occurred_at: [Datum, Uhrzeit], session_id: Bon, item_id: Artikel, quantity: Menge, unit_price: Preis}
    constants: {event_type: purchase}
"""
    _write_mapping(folder, mapping)


def long_tail(folder: Path) -> None:
    """As in fashion: hardly an item is bought five times."""
    rng = np.random.default_rng(3)
    lines = [replace(line, item=item_id(int(rng.integers(0, 600)))) for line in shoppers(seed=3)]
    _write_orders(folder, lines, Catalogue(items=600, categories=12))


def one_category_level(folder: Path) -> None:
    """A flat category tree of four categories."""
    _write_orders(folder, shoppers(seed=4), Catalogue(levels=1))


def no_prices(folder: Path) -> None:
    """A shop that lets no prices out."""
    _write_orders(folder, shoppers(seed=5), Catalogue(prices=False))


def fifty_items(folder: Path) -> None:
    """A kiosk."""
    _write_orders(folder, shoppers(items=50, seed=6), Catalogue(items=50))


def order_only(folder: Path) -> None:
    """Sequences: a line a person, the oldest item first."""
    by_user: dict[str, list[str]] = {}
    for line in sorted(shoppers(seed=7, again=0.0), key=lambda line: line.at):
        by_user.setdefault(str(line.user), []).append(line.item)
    folder.mkdir(parents=True)
    (folder / "sequences.txt").write_text("".join(f"{user} {' '.join(items)}\n" for user, items in by_user.items()), encoding="utf-8")


def sets_with_carts(folder: Path) -> None:
    """A line a person without an order: what was bought, and in a second file what was put into carts, bought or not."""
    rng = np.random.default_rng(8)
    bought: dict[str, list[str]] = {}
    for line in shoppers(seed=8, again=0.0):
        bought.setdefault(str(line.user), []).append(line.item)
    carted = {user: sorted({*items, *rng.choice(items, 2)} | {_beside(item) for item in items[:3]}) for user, items in bought.items()}
    folder.mkdir(parents=True)
    for name, lines in (("sequences.txt", bought), ("carts.txt", carted)):
        (folder / name).write_text("".join(f"{user} {' '.join(sorted(set(items)))}\n" for user, items in lines.items()), encoding="utf-8")


def _beside(item: str) -> str:
    """Another item of the same taste, which `shoppers` counts in fours."""
    return item_id((int(item[1:]) + 4) % 40)


SHOP_FILES: dict[str, Callable[[Path], None]] = {
    "receipts with returns": receipts_with_returns,
    "web visits": web_visits,
    "tills": tills,
    "long tail": long_tail,
    "one category level": one_category_level,
    "no prices": no_prices,
    "fifty items": fifty_items,
    "order only": order_only,
    "sets with carts": sets_with_carts,
}
"""The shapes, by name."""


def _write_orders(folder: Path, lines: Sequence[Line], told: Catalogue) -> None:
    _write_products(folder, told)
    priced = ", unit_price: price" if told.prices else ""
    _write_csv(
        folder / "orders.csv",
        "order,time,customer,sku,pieces,price",
        ([line.visit, f"{line.at:%Y-%m-%dT%H:%M:%SZ}", line.user, line.item, 1, line.price if told.prices else ""] for line in lines),
    )
    mapping = f"""
source: orders
{"currency: EUR" if told.prices else ""}
tables:
  items:
    files: products.jsonl
    columns: {{item_id: sku, title: name, category_path: path, brand: brand{", price: price" if told.prices else ""}}}
  events:
    files: orders.csv
    columns: {{occurred_at: time, user_id: customer, session_id: order, item_id: sku, quantity: pieces{priced}}}
    constants: {{event_type: purchase}}
"""
    _write_mapping(folder, mapping)


def _write_products(folder: Path, told: Catalogue | None = None) -> None:
    folder.mkdir(parents=True)
    rows = catalogue_rows(told or Catalogue()).select("item_id", "title", "category_path", "brand", "price").iter_rows()
    products = (dict(zip(("sku", "name", "path", "brand", "price"), row, strict=True)) for row in rows)
    (folder / "products.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in products), encoding="utf-8")


def _write_csv(file: Path, header: str, rows: Iterable[Sequence[Any]], encoding: str = "utf-8") -> None:
    delimiter = ";" if ";" in header else ","
    with file.open("w", newline="", encoding=encoding) as opened:
        writer = csv.writer(opened, delimiter=delimiter)
        writer.writerow(header.split(delimiter))
        writer.writerows(rows)


def _write_mapping(folder: Path, mapping: str) -> None:
    (folder / MAPPING).write_text(mapping.lstrip("\n"), encoding="utf-8")
