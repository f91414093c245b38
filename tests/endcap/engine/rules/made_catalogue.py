"""A small catalogue, candidates over it, and rule files written as text."""

from datetime import UTC, datetime, timedelta
from textwrap import dedent
from typing import Any

import numpy as np
import polars as pl

from endcap.catalogue.item_table import ItemTable
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.engine.retrieval.candidates import SOURCES, CandidateSet
from endcap.engine.rules.conditions.candidate_values import CandidateValues
from endcap.engine.rules.conditions.item_values import ItemValues
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.file.rule_file import RuleFile, parse_rules
from endcap.features.columns import ITEM_NUMERIC, OBJECTIVES

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
ITEMS = 203
PATHS = (["Food", "Coffee", "Beans"], ["Food", "Tea"], ["Home"], [], ["Fuel", "Fuel", "Petrol"])


def made_items(seed: int = 3) -> ItemTable:
    """Items with every gap that real ones have: no brand, no category, no price, no date."""
    random = np.random.default_rng(seed)
    rows = pl.DataFrame(
        {
            "item_id": [f"i{number:04}" for number in range(ITEMS)],
            "title": [f"Thing {number % 13} of {number}" for number in range(ITEMS)],
            "category_path": [PATHS[number % len(PATHS)] for number in range(ITEMS)],
            "brand": [None if number % 9 == 0 else f"{'Own' if number % 3 else 'Maker'} {number % 4}" for number in range(ITEMS)],
            "price": [None if number % 10 == 0 else 1.0 + number % 7 for number in range(ITEMS)],
            "margin": [None if number % 4 == 0 else (number % 5) / 10 for number in range(ITEMS)],
            "currency": ["EUR"] * ITEMS,
            "availability": ["in_stock" if number % 6 else "out_of_stock" for number in range(ITEMS)],
            "created_at": [None if number % 8 == 0 else NOW - timedelta(days=number) for number in range(ITEMS)],
            "attributes": ["{}"] * ITEMS,
            "family_id": [None] * ITEMS,
            "image_url": [None] * ITEMS,
        },
        schema=pl.from_arrow(arrow_schema(Item).empty_table()).schema,  # type: ignore[union-attr]
    )
    features = pl.DataFrame(random.integers(0, 9, (ITEMS, len(ITEM_NUMERIC))).astype(np.float32), schema=list(ITEM_NUMERIC))
    return ItemTable.from_items(rows).with_features(pl.concat([rows.select("item_id"), features], how="horizontal"))


def made_candidates(items: ItemTable, seed: int, m: int = 60, *, ranked: bool = True) -> CandidateValues:
    random = np.random.default_rng(seed)
    brought = random.random((m, len(SOURCES))) < 0.3
    candidates = CandidateSet(
        index=random.choice(np.arange(1, len(items), dtype=np.int32), m, replace=False),
        scores=brought * random.random((m, len(SOURCES)), dtype=np.float32),
        brought=brought,
        fused=random.random(m, dtype=np.float32),
        main_source=brought.argmax(axis=1).astype(np.int8),
    )
    probabilities = {name: random.random(m, dtype=np.float32) for name in OBJECTIVES} if ranked else {}
    values = ItemValues.of(items, int(NOW.timestamp()))
    return CandidateValues(candidates, random.random(m, dtype=np.float32), probabilities, random.random(m) < 0.3, values)


def written(text: str) -> RuleFile:
    """Rules from YAML that may be indented and leaves the version out."""
    return parse_rules("version: 1\n" + dedent(text))


def at(surface: str = "home", now: datetime = NOW, **parts: Any) -> RuleContext:
    return RuleContext(**({"surface": surface, "segments": (), "now": now} | parts))
