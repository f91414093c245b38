"""Catalogues and tables of every kind: no item or one, columns without a value, tables without a row."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.bundle import BundleManifest
from endcap.core.settings import Settings
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.complements import Complements
from endcap.engine.retrieval.item_to_item import NO_NEIGHBOURS, ItemToItem
from endcap.engine.retrieval.popular import OVERALL, Popularity, popular_of
from endcap.engine.retrieval.similar_users import SimilarUsers
from endcap.features.columns import ITEM_NUMERIC, USER_CATEGORICAL, USER_NUMERIC
from endcap.release.bundle.manifest import present_feature_columns
from endcap.release.bundle.tables import BundleTables
from endcap_benchmarks.synthetic.bundle import SyntheticSize, manifest_fields
from endcap_transformer.live.served_bundle import ServedBundle, served_from

CREATED = datetime(2017, 6, 1, tzinfo=UTC)
KINDS: dict[str, tuple[pl.DataType, list[Any]]] = {
    "category_path": (pl.List(pl.String), [["Food", "Fruit"], ["Food", "Milk"], ["Home"]]),
    "brand": (pl.String(), ["Own", "Other"]),
    "price": (pl.Float64(), [1.5, 0.0, 20.0]),
    "margin": (pl.Float64(), [0.3, -0.1]),
    "created_at": (pl.Datetime("us", "UTC"), [CREATED]),
    "family_id": (pl.String(), ["f", "g"]),
}
"""By column, its type and some values."""


@st.composite
def item_rows(draw: st.DrawFn) -> pl.DataFrame:
    """Up to eight items; each column has all values, some, one that is always the same, or none."""
    count = draw(st.integers(0, 8))
    columns: dict[str, Any] = {
        "item_id": [f"i{number}" for number in range(count)],
        "title": [f"Item {number}" for number in range(count)],
        "availability": draw(st.lists(st.sampled_from(["in_stock"] * 3 + ["out_of_stock"]), min_size=count, max_size=count)),
    }
    for name, (kind, values) in KINDS.items():
        missing = [] if kind == pl.List(pl.String) else None
        possible = draw(st.sampled_from([values, values[:1], [*values, missing], [missing]]))
        columns[name] = pl.Series(draw(st.lists(st.sampled_from(possible), min_size=count, max_size=count)), dtype=kind)
    return pl.DataFrame(columns, schema_overrides={"item_id": pl.String, "title": pl.String, "availability": pl.String})


@st.composite
def made_tables(draw: st.DrawFn, rows: pl.DataFrame | None = None) -> BundleTables:
    """Tables of such a catalogue, any of them without a row or a column.

    Args:
        rows: its items; made when left out.
    """
    items = ItemTable.from_items(draw(item_rows()) if rows is None else rows)
    n, dim = len(items) - 1, draw(st.sampled_from([1, 2, 8]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    features = {name: random.random(n).astype(np.float32) if draw(st.booleans()) else np.zeros(n, np.float32) for name in ITEM_NUMERIC[:3]}
    features |= {name: random.choice([0.0, 1.0, 200.0], n).astype(np.float32) for name in ITEM_NUMERIC[3:]}
    embeddings = random.standard_normal((n + 1, dim)).astype(np.float32) if draw(st.booleans()) else np.zeros((n + 1, dim), np.float32)
    embeddings[0] = 0

    def neighbours() -> np.ndarray:
        return random.integers(0, n + 1 if draw(st.booleans()) else 1, (n + 1, draw(st.integers(0, 3)))).astype(np.int32)

    def by_segment() -> Popularity:
        bought = random.integers(1, n + 1, 20).astype(np.int32) if n and draw(st.booleans()) else np.zeros(0, np.int32)
        kinds = [{OVERALL: popular_of(bought, n, 5)}, {OVERALL: Candidates.none()}, {}, {"region=north": popular_of(bought, n, 2)}]
        table = Popularity(draw(st.sampled_from(kinds)))
        return Popularity.from_frame(table.to_frame()) if draw(st.booleans()) else table

    nearest, beside = neighbours(), neighbours()
    item_to_item = ItemToItem(nearest, np.where(nearest > 0, 0.5, 0).astype(np.float16))
    summed = neighbours()
    users = SimilarUsers(
        random.standard_normal((3, dim)).astype(np.float32), random.integers(0, n + 1, (3, 2)).astype(np.int32), np.ones((3, 2), np.float32)
    )
    return BundleTables(
        items=items.with_features(pl.DataFrame({"item_id": list(items.ids.names), **features}, schema_overrides={"item_id": pl.String})),
        user_vocabularies={name: Vocabulary(draw(st.sampled_from([(), ("north",)]))) for name in USER_CATEGORICAL},
        item_embeddings=embeddings,
        item_to_item=item_to_item,
        has_neighbours=item_to_item.has_neighbours(),
        complements=Complements(beside, np.where(beside > 0, 0.5, 0).astype(np.float16)),
        repurchase_gap_days=np.zeros(n + 1, np.float32),
        popularity=by_segment(),
        trending=by_segment(),
        similar_users=users if draw(st.booleans()) else SimilarUsers.none(dim),
        ease=ItemToItem(summed, np.where(summed > 0, 0.5, 0).astype(np.float16)) if draw(st.booleans()) else NO_NEIGHBOURS,
    )


def served(tables: BundleTables) -> ServedBundle:
    """The tables as a bundle that answers."""
    n, dim = tables.item_embeddings.shape
    fields = manifest_fields(1, "endcap_1", SyntheticSize(items=max(n - 1, 1), dim=dim))
    manifest = BundleManifest(features=present_feature_columns(), files={}, **fields)
    return served_from(manifest, tables, Settings(replay_at=manifest.data_end))


def feature_row(items: list[str]) -> dict[str, Any]:
    """A person who bought these items once, and of whom nothing else is known."""
    bought = [int(CREATED.timestamp())] * len(items)
    counts = ("pair_times_bought", "pair_baskets_28d", "pair_baskets_90d", "pair_gap_mean_days", "pair_decayed_20d", "pair_decayed_60d")
    return {
        "event_timestamp": CREATED,
        **dict.fromkeys(USER_NUMERIC),
        **dict.fromkeys(USER_CATEGORICAL),
        "history_item_ids": items,
        "history_occurred_at": bought,
        "category_ids": [],
        "category_shares": [],
        "brand_ids": None,
        "brand_shares": None,
        "pair_item_ids": items,
        "pair_last_bought_at": bought,
        **{name: [1.0] * len(items) for name in counts},
    }
