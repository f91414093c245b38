"""Whom requests come from and what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass

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
