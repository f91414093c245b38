"""What is known of items as sets of codes: every level of the category path, the brand, and each attribute with its value."""

import json
from collections import Counter

import numpy as np
import polars as pl
from numpy.typing import NDArray

ITEMS_MIN = 2
"""What only one item has tells nothing about another."""


def attribute_codes(items: pl.DataFrame, items_min: int = ITEMS_MIN) -> NDArray[np.int32]:
    """Codes of each item's attributes from 1, the most frequent first; 0 where an item has no more. One numbering for all kinds.

    Args:
        items: canonical items sorted by item_id; reads category_path, brand and attributes.
        items_min: attributes of fewer items are left out.

    Returns:
        int32 [n + 1, a], row 0 zeros; a is the most that one item has, 0 where nothing is known.
    """
    named = [
        _names(path, brand, attributes)
        for path, brand, attributes in zip(
            items["category_path"].to_list(), items["brand"].to_list(), items["attributes"].to_list(), strict=True
        )
    ]
    counts = Counter(name for names in named for name in names)
    frequent = sorted((name for name, count in counts.items() if count >= items_min), key=lambda name: (-counts[name], name))
    code = {name: place for place, name in enumerate(frequent, 1)}
    coded = [sorted(code[name] for name in names if name in code) for names in named]
    codes = np.zeros((len(coded) + 1, max(map(len, coded), default=0)), dtype=np.int32)
    for row, known in enumerate(coded, 1):
        codes[row, : len(known)] = known
    return codes


def _names(path: list[str] | None, brand: str | None, attributes: str | None) -> set[tuple[str, ...]]:
    levels = [level for level in path or () if level]
    names: set[tuple[str, ...]] = {("category", *levels[: depth + 1]) for depth in range(len(levels))}
    if brand:
        names.add(("brand", brand))
    if attributes and attributes != "{}":
        names |= {("attribute", name, value) for name, value in json.loads(attributes).items()}
    return names
