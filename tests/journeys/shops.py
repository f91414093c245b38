"""Made shops in the shapes in which shops really have their data, as canonical datasets; each a few seconds' worth of training."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.dataset.layout import Dataset, write_description

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
TASTES = 4


@dataclass(frozen=True)
class Line:
    """One event; `user` is None for nobody known."""

    user: str | None
    item: str
    at: datetime
    visit: str
    kind: str = "purchase"
    price: float | None = 2.5
    request: str | None = None
    position: int | None = None


@dataclass(frozen=True)
class Catalogue:
    """What is known of the items."""

    items: int = 40
    levels: int = 2
    categories: int = TASTES
    brands: int = 2
    prices: bool = True


def item_id(number: int) -> str:
    return f"i{number:03}"


def shoppers(users: int = 60, items: int = 40, weeks: int = 26, seed: int = 0, *, again: float = 0.5) -> list[Line]:
    """Weekly receipts: everybody has a taste, and buys from it, `again` of the time what was bought before."""
    rng = np.random.default_rng(seed)
    lines = []
    for user in range(users):
        own = [number for number in range(items) if number % TASTES == user % TASTES] or list(range(items))
        had = [int(rng.choice(own))]
        for week in range(weeks):
            if rng.random() < 0.3:
                continue
            at = START + timedelta(weeks=week, days=int(rng.integers(0, 6)), minutes=int(rng.integers(0, 600)))
            basket = {int(rng.choice(had if rng.random() < again else own)) for _ in range(3)}
            had += sorted(basket)
            lines += [Line(f"u{user:03}", item_id(number), at, f"v{user}-{week}") for number in sorted(basket)]
    return lines


def catalogue_rows(told: Catalogue) -> pl.DataFrame:
    """The canonical items."""
    numbers = range(told.items)
    finest_first = [
        [f"Shelf {n % max(told.categories, 1)}", "Shop"] if told.levels > 1 else [f"Shelf {n % max(told.categories, 1)}"] for n in numbers
    ]
    paths = [path[::-1] if told.levels else [] for path in finest_first]
    known = {
        "item_id": [item_id(n) for n in numbers],
        "title": [f"Thing {n}" for n in numbers],
        "category_path": paths,
        "brand": [f"Brand {n % told.brands}" if told.brands else None for n in numbers],
        "price": [1.5 + n % 7 if told.prices else None for n in numbers],
        "currency": ["EUR" if told.prices else None for n in numbers],
        "availability": ["in_stock"] * told.items,
        "attributes": ["{}"] * told.items,
    }
    schema = _schema(Item)
    return pl.DataFrame({name: known.get(name, [None] * told.items) for name in schema}, schema=schema)


def write_dataset(folder: Path, lines: list[Line], told: Catalogue | None = None) -> Path:
    """A canonical dataset with its description."""
    folder.mkdir(parents=True)
    items = catalogue_rows(told or Catalogue())
    events = _events(sorted(lines, key=lambda line: (line.at, line.visit, line.item)))
    items.write_parquet(folder / "items.parquet")
    events.write_parquet(folder / "events.parquet")
    rows = {"events": len(events), "items": len(items)}
    times = [line.at for line in lines] or [START]
    write_description(Dataset(folder, "made", "EUR", f"made-{folder.name}", rows, dict.fromkeys(rows, 0), min(times), max(times)))
    return folder


def _events(lines: list[Line]) -> pl.DataFrame:
    def priced(line: Line) -> bool:
        return line.kind == "purchase" and line.price is not None

    known = {
        "event_id": [f"{number:032x}" for number in range(len(lines))],
        "event_type": [line.kind for line in lines],
        "occurred_at": [line.at for line in lines],
        "user_id": [line.user for line in lines],
        "session_id": [line.visit for line in lines],
        "item_id": [line.item for line in lines],
        "quantity": [1.0 if line.kind == "purchase" else None for line in lines],
        "unit_price": [line.price if priced(line) else None for line in lines],
        "currency": ["EUR" if priced(line) else None for line in lines],
        "request_id": [line.request for line in lines],
        "position": [line.position for line in lines],
    }
    constant = {"schema_version": 1, "consent": True, "consent_analytics": True}
    schema = _schema(Event)
    columns = {
        name: known.get(name, known["occurred_at"] if name == "received_at" else [constant.get(name)] * len(lines)) for name in schema
    }
    return pl.DataFrame(columns, schema=schema)


def _schema(contract: type) -> pl.Schema:
    return pl.DataFrame(arrow_schema(contract).empty_table()).schema


def receipts(folder: Path) -> Path:
    """Receipts of known people over half a year."""
    return write_dataset(folder, shoppers())


def looks(visits: int = 400, kind: str = "product_view") -> list[Line]:
    """Visits of nobody known over 20 weeks, three items of one taste each."""
    rng = np.random.default_rng(5)
    lines = []
    for visit in range(visits):
        at = START + timedelta(minutes=int(rng.integers(0, 20 * 7 * 24 * 60)))
        items = rng.choice(10, 3, replace=False) * 4 + visit % 4
        lines += [Line(None, item_id(int(item)), at + timedelta(minutes=step), f"w{visit}", kind) for step, item in enumerate(items)]
    return lines


def web_visits(folder: Path) -> Path:
    """Many views, few purchases, most of the visitors unknown."""
    rng = np.random.default_rng(1)
    bought = shoppers(users=80, weeks=20, seed=1, again=0.1)
    bought = [line for line, kept in zip(bought, rng.random(len(bought)) < 0.2, strict=True) if kept]
    looked = [
        Line(
            f"u{rng.integers(0, 80):03}" if rng.random() < 0.2 else None,
            item_id(int(rng.integers(0, 40))),
            START + timedelta(days=int(rng.integers(0, 140)), minutes=int(rng.integers(0, 900))),
            f"w{number % 700}",
            "product_view",
        )
        for number in range(3000)
    ]
    return write_dataset(folder, bought + looked)


def tills(folder: Path) -> Path:
    """Baskets of a till, whose customers nobody knows."""
    return write_dataset(folder, [replace(line, user=None) for line in shoppers(seed=2)])


def long_tail(folder: Path) -> Path:
    """As in fashion: hardly an item is bought five times."""
    rng = np.random.default_rng(3)
    lines = [replace(line, item=item_id(int(rng.integers(0, 600)))) for line in shoppers(seed=3)]
    return write_dataset(folder, lines, Catalogue(items=600, categories=12))


def one_category_level(folder: Path) -> Path:
    """A flat category tree."""
    return write_dataset(folder, shoppers(seed=4), Catalogue(levels=1))


def no_prices(folder: Path) -> Path:
    """A shop that lets no prices out."""
    return write_dataset(folder, [replace(line, price=None) for line in shoppers(seed=5)], Catalogue(prices=False))


def fifty_items(folder: Path) -> Path:
    """A kiosk."""
    return write_dataset(folder, shoppers(items=50, seed=6), Catalogue(items=50))


def order_only(folder: Path) -> Path:
    """Sequences: an order and no times, so that a step stands for a day, without prices, categories and brands."""
    last = START + timedelta(days=200)
    by_user: dict[str | None, list[Line]] = {}
    for line in shoppers(seed=7, again=0.0):
        by_user.setdefault(line.user, []).append(line)
    lines = [
        replace(line, at=last - timedelta(days=len(own) - place), visit=f"{line.user}-{place}", price=0.0)
        for own in by_user.values()
        for place, line in enumerate(own)
    ]
    return write_dataset(folder, lines, Catalogue(levels=0, brands=0, prices=False))


SHOPS: dict[str, Callable[[Path], Path]] = {
    "receipts": receipts,
    "web visits": web_visits,
    "tills": tills,
    "long tail": long_tail,
    "one category level": one_category_level,
    "no prices": no_prices,
    "fifty items": fifty_items,
    "order only": order_only,
}
"""The shapes, by name."""


def write_receipt_files(folder: Path, lines: Iterable[Line], told: Catalogue | None = None) -> Path:
    """Lines of receipts as a shop exports them: invoice, code, description, quantity, date, price, customer; every 20th is taken back.

    A return has an invoice that begins with C and a negative quantity.
    """
    folder.mkdir(parents=True)
    titles = dict(catalogue_rows(told or Catalogue()).select("item_id", "title").iter_rows())
    with (folder / "lines.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID"])
        for number, line in enumerate(lines):
            date = f"{line.at:%Y-%m-%d %H:%M}"
            rows.writerow([line.visit, line.item, titles[line.item], 1, date, line.price, line.user or ""])
            if number % 20 == 19:
                later = f"{line.at + timedelta(hours=1):%Y-%m-%d %H:%M}"
                rows.writerow([f"C{line.visit}", line.item, titles[line.item], -1, later, line.price, line.user or ""])
    return folder
