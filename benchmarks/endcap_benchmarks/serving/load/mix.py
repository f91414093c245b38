"""Whom requests come from and what for: a fixed mix of surfaces, known people and visitors, each request another person."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from endcap.core.settings import Settings
from endcap_benchmarks.serving.home import HomeSize
from endcap_benchmarks.synthetic.made_users import user_ids

ITEMS_MAX = 20_000
CATEGORIES_MAX = 500
CATEGORY_LEVEL = 1
"""The level of a category page: below departments, above shelves."""


@dataclass(frozen=True)
class Population:
    """Ids that requests draw from.

    Attributes:
        users: people the feature store knows.
        items: of pages and carts.
        categories: of category pages.
    """

    users: Sequence[str]
    items: Sequence[str]
    categories: Sequence[str]


def made_population(size: HomeSize) -> Population:
    """Of a benchmark's own home; items from all of the catalogue."""
    catalogue, random = size.catalogue(), np.random.default_rng(size.seed)
    numbers = random.choice(size.items, min(ITEMS_MAX, size.items), replace=False)
    categories = {catalogue.category_path(int(number))[CATEGORY_LEVEL] for number in numbers[:CATEGORIES_MAX]}
    return Population(user_ids(size.users), [f"I{number:06d}" for number in numbers], sorted(categories))


def dataset_population(settings: Settings) -> Population:
    """Of the dataset that the promoted bundle was trained on; items by how often they are bought."""
    bought = pl.scan_parquet(settings.data_dir / "events.parquet").select("user_id", "item_id").drop_nulls()
    users = bought.select(pl.col("user_id").unique().sort()).collect()["user_id"].to_list()
    items = bought.group_by("item_id").len().sort("len", "item_id", descending=True).head(ITEMS_MAX).collect()["item_id"].to_list()
    paths = pl.read_parquet(settings.data_dir / "items.parquet", columns=["category_path"])["category_path"]
    categories = paths.list.get(CATEGORY_LEVEL, null_on_oob=True).drop_nulls().value_counts(sort=True).head(CATEGORIES_MAX)
    return Population(users, items, categories["category_path"].to_list())


K = 20
CART_ITEMS = 3
SEARCH_ITEMS = 40
PRICE_MAX = 18.0

MIX: dict[str, float] = {
    "home": 0.34,
    "product": 0.22,
    "cart": 0.14,
    "category": 0.12,
    "search": 0.08,
    "anonymous": 0.05,
    "new_user": 0.05,
}
"""Kinds of requests and their share."""


class Draw:
    """What one request's fields are drawn from; `unseen` is part of ids that nobody had before."""

    def __init__(self, population: Population, random: np.random.Generator, user_id: str, unseen: str) -> None:
        self.user_id = user_id
        self.unseen = unseen
        self._population = population
        self._random = random

    def items(self, count: int) -> list[str]:
        places = self._random.choice(len(self._population.items), count, replace=False)
        return [self._population.items[place] for place in places]

    def category(self) -> str:
        return self._population.categories[int(self._random.integers(len(self._population.categories)))]


def make_requests(population: Population, count: int, seed: int) -> tuple[list[str], list[dict[str, Any]]]:
    """Kinds and instances of `count` requests.

    People come in a random order and nobody comes twice before all have been there; visitors and new people are never seen again.
    """
    random = np.random.default_rng(seed)
    kinds = [str(kind) for kind in random.choice(list(MIX), count, p=list(MIX.values()))]
    rounds = -(-count // len(population.users))
    people = np.concatenate([random.permutation(len(population.users)) for _ in range(rounds)])[:count]
    draws = (Draw(population, random, population.users[person], f"{seed}-{number}") for number, person in enumerate(people))
    return kinds, [_KINDS[kind](draw) for kind, draw in zip(kinds, draws, strict=True)]


def _home(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "home", "k": K}


def _product(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "product", "item_ids": draw.items(1), "k": K}


def _cart(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "cart", "item_ids": draw.items(CART_ITEMS), "k": K}


def _category(draw: Draw) -> dict[str, Any]:
    filters = {"categories": [draw.category()], "price_max": PRICE_MAX}
    return {"user_id": draw.user_id, "surface": "category", "filters": filters, "k": K}


def _search(draw: Draw) -> dict[str, Any]:
    return {"user_id": draw.user_id, "surface": "search", "item_ids": draw.items(SEARCH_ITEMS), "k": K}


def _anonymous(draw: Draw) -> dict[str, Any]:
    return {"session_id": f"visit-{draw.unseen}", "surface": "product", "item_ids": draw.items(1), "k": K}


def _new_user(draw: Draw) -> dict[str, Any]:
    preferences = {"categories": [draw.category()]}
    return {"user_id": f"new-{draw.unseen}", "surface": "home", "preferences": preferences, "context": {"device": "mobile"}, "k": K}


_KINDS: dict[str, Callable[[Draw], dict[str, Any]]] = {
    "home": _home,
    "product": _product,
    "cart": _cart,
    "category": _category,
    "search": _search,
    "anonymous": _anonymous,
    "new_user": _new_user,
}
