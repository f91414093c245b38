"""Small training data, written out as baskets or drawn at random."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import strategies as st

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.catalogue.item_table import ItemTable


def interactions_of(histories: Sequence[Sequence[int]], item_count: int) -> Interactions:
    """A user a list of item indices, oldest first; a day a step."""
    start = np.cumsum([0, *map(len, histories)]).astype(np.int64)
    index = np.array([item for history in histories for item in history], dtype=np.int32)
    age = np.array([step for history in histories for step in reversed(range(len(history)))], dtype=np.float32)
    return Interactions(start, index, age, item_count)


def training_data(histories: Sequence[Sequence[int]], item_count: int) -> TrainingData:
    """Items of even index share one attribute, those of uneven another; every third has one of its own group."""
    index = np.arange(item_count + 1, dtype=np.int32)
    attributes = np.stack([index % 2 + 1, 3 + index % 3], axis=1)
    attributes[0] = 0
    images = np.stack([np.cos(index), np.sin(index), np.ones_like(index)], axis=1).astype(np.float32)
    images[0] = 0
    return TrainingData(interactions_of(histories, item_count), None, attributes.astype(np.int32), images)


def titled(data: TrainingData) -> TrainingData:
    """With a catalogue whose titles are of two kinds, as the attributes are."""
    count = data.interactions.item_count
    rows = pl.DataFrame(
        {
            "item_id": [f"i{index:03}" for index in range(1, count + 1)],
            "title": [f"{('green apple', 'white soap')[index % 2]} number {index % 3}" for index in range(1, count + 1)],
            "category_path": pl.Series([[]] * count, dtype=pl.List(pl.String)),
            "brand": pl.Series([None] * count, dtype=pl.String),
            "price": pl.Series([None] * count, dtype=pl.Float64),
            "availability": ["in_stock"] * count,
            "created_at": pl.Series([None] * count, dtype=pl.Datetime("us", "UTC")),
        }
    )
    return replace(data, items=ItemTable.from_items(rows))


def random_histories(users: int, items: int, length: int, seed: int) -> list[list[int]]:
    """`length` purchases of each user; a user of one kind buys the lower half of the items, one of the other the upper half."""
    rng = np.random.default_rng(seed)
    half = items // 2
    above = rng.integers(0, 2, users)[:, None] * half
    return (above + rng.integers(1, half + 1, (users, length))).tolist()


def drawn_histories(users_max: int = 6, items: int = 7, length_max: int = 6) -> st.SearchStrategy[list[list[int]]]:
    """Lists of item indices for hypothesis; some may be empty, not all."""
    history = st.lists(st.integers(1, items), max_size=length_max)
    return st.lists(history, min_size=1, max_size=users_max).filter(any)
