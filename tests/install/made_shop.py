"""A small shop as it would export it: products and half a year of orders as CSV, in the columns of the example in docs/data.md."""

import csv
import random
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.install.distributions import ROOT

SHELVES = ("Tea", "Cups", "Bread", "Fruit")
USERS, ITEMS, WEEKS = 40, 24, 24
_START = datetime(2026, 1, 5, 9)  # noqa: DTZ001 - the mapping says the zone


def write_shop(folder: Path) -> None:
    """Write `exports/` and `mapping.yaml`, the documented one."""
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    mapping = re.search(r"this `mapping.yaml` imports them:\n\n```yaml\n(.*?)```", page, re.DOTALL)
    assert mapping is not None
    (folder / "mapping.yaml").write_text(mapping[1], encoding="utf-8")
    products = (
        [sku(item), f"{shelf(item)} {item}", "Food", f"Food / {shelf(item)}", "Morgentau", price(item), "green"] for item in range(ITEMS)
    )
    _write(folder / "exports" / "products.csv", "sku,name,department,shelf,brand,price,colour", products)
    _write(folder / "exports" / "orders" / "2026.csv", "order_no,ordered,sku,pieces,price,customer,kind", _orders(random.Random(1)))


def sku(item: int) -> str:
    return f"S-{item}"


def shelf(item: int) -> str:
    return SHELVES[item % len(SHELVES)]


def price(item: int) -> str:
    return f"{1 + item % 7}.50"


def _orders(rng: random.Random) -> Iterable[list[Any]]:
    """Some 900 lines; everybody prefers a shelf."""
    for visit in range(USERS * WEEKS):
        user, week = divmod(visit, WEEKS)
        if rng.random() < 0.5:
            continue
        at = _START + timedelta(weeks=week, hours=rng.randrange(120))
        liked = rng.randrange(ITEMS // len(SHELVES)) * len(SHELVES) + user % len(SHELVES)
        for item in sorted({liked, rng.randrange(ITEMS)}):
            yield [visit, f"{at:%Y-%m-%d %H:%M}", sku(item), 1, price(item), f"c-{user}", "sale"]


def _write(path: Path, header: str, rows: Iterable[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *rows])
