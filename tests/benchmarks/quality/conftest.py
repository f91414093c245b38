"""Small canonical datasets: a made shop with real times, and sequences that know an order only."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from endcap.dataset.sources.folder import import_folder
from endcap.dataset.sources.sequences import SequenceFiles, SequenceReading, import_sequences
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases, read_recorded_purchases

MAPPING = """
source: made-shop
currency: EUR
time_zone: UTC
tables:
  items: {files: items.csv, columns: {item_id: sku, title: name, category_path: shelf, brand: brand}, list_separator: " / "}
  events:
    files: sales.csv
    columns: {session_id: basket, occurred_at: at, item_id: sku, user_id: person, unit_price: price, quantity: pieces, consent: consent}
    constants: {event_type: purchase}
"""
FIRST = datetime(2026, 1, 5, 9, tzinfo=UTC)
USERS, ITEMS, DAYS = 70, 50, 140


def write_shop(folder: Path) -> None:
    """Everybody shops every four days, half of it favourites, over twenty weeks; sku-none has an only buyer."""
    random = np.random.default_rng(7)
    shelves = ["Food / Tea", "Food / Bread", "Home / Cups", "Home / Lamps", "Garden / Seeds"]
    lines = [f"s{item:02},Thing {item},{shelves[item % 5]},brand {item % 7}" for item in range(ITEMS)]
    (folder / "items.csv").write_text("sku,name,shelf,brand\n" + "\n".join([*lines, "none,Nothing,,"]) + "\n")
    sales = ["basket,at,sku,person,price,pieces,consent", f"b-none,{FIRST:%Y-%m-%dT%H:%M:%S},none,p00,1.0,1,true"]
    for person in range(USERS):
        favourites = random.choice(ITEMS, 5, replace=False)
        for day in range(person % 4, DAYS, 4):
            at = FIRST + timedelta(days=day)
            bought = np.unique(np.concatenate([random.choice(favourites, 2), random.integers(0, ITEMS, 2)]))
            consent = "false" if person == 1 else "true"
            sales += [
                f"b{person}-{day},{at:%Y-%m-%dT%H:%M:%S},s{item:02},p{person:02},{1 + item % 9 + person % 3},1,{consent}" for item in bought
            ]
    (folder / "sales.csv").write_text("\n".join(sales) + "\n")
    (folder / "mapping.yaml").write_text(MAPPING)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A canonical dataset with real times."""
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    dataset, _ = import_folder(folder, folder / "mapping.yaml", folder / "dataset", 0.01)
    return dataset.path


@pytest.fixture(scope="session")
def recorded_shop(shop: Path) -> RecordedPurchases:
    return read_recorded_purchases(shop)


def written_sequences(folder: Path, sequences: Sequence[Sequence[int]]) -> RecordedPurchases:
    """A dataset of these item ids by user, users u0, u1, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [" ".join([f"u{user}", *map(str, items)]) for user, items in enumerate(sequences)]
    (folder / "sequences.txt").write_text("\n".join(lines) + "\n")
    dataset, _ = import_sequences(SequenceFiles(folder / "sequences.txt"), folder / "dataset", 0.0, force=True)
    return read_recorded_purchases(dataset.path)


@pytest.fixture(scope="session")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> RecordedPurchases:
    """200 users with 3 to 12 of 60 items, none twice."""
    random = np.random.default_rng(3)
    made = [random.permutation(60)[: random.integers(3, 13)].tolist() for _ in range(200)]
    return written_sequences(tmp_path_factory.mktemp("sequences"), made)


@pytest.fixture(scope="session")
def write_sequences() -> Callable[[Path, Sequence[Sequence[int]]], RecordedPurchases]:
    """Makes a dataset in a folder from item ids by user."""
    return written_sequences


SETS = {"train": "a 1 2 3\nb 2 4\nc 4\n", "cart": "a 1 2 3 5 6\nb 2 4 5\nd 6\n", "test": "a 5\nb 1\n"}


@pytest.fixture(scope="session")
def sets_with_carts(tmp_path_factory: pytest.TempPathFactory) -> RecordedPurchases:
    """What people bought and carted, in no order, with purchases held out."""
    folder = tmp_path_factory.mktemp("sets")
    for name, text in SETS.items():
        (folder / f"{name}.txt").write_text(text)
    files = SequenceFiles(folder / "train.txt", carts=folder / "cart.txt", holdout=folder / "test.txt")
    dataset, _ = import_sequences(files, folder / "dataset", 0.0, reading=SequenceReading(unordered=True))
    return read_recorded_purchases(dataset.path)
