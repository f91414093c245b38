"""Clients of the shared Milvus, small bundles to put into it, and the shared schema registry."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.evaluation import ALL, NEW, Evaluation, Figure, Reliability, ReliabilityBin, SegmentFigures, TruthFigures
from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.core.settings import MilvusSettings
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.complements import Complements
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.popular import OVERALL, Popularity
from endcap.engine.retrieval.similar_users import SimilarUsers
from endcap.features.columns import PURCHASE_OBJECTIVES, USER_CATEGORICAL
from endcap.release.bundle.manifest import Bundle, seal_bundle
from endcap.release.bundle.tables import BundleTables, write_tables
from endcap.release.index.connection import connect
from endcap.release.index.search import ItemSearch
from tests.schema_registry.apicurio import ApicurioRegistry, running_registry

ITEMS = 1500
DIM = 16


@pytest.fixture(scope="session")
def registry_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApicurioRegistry]:
    """A schema registry that tests share: each has subjects of its own."""
    with running_registry(tmp_path_factory.mktemp("apicurio")) as running:
        yield running


@pytest.fixture
def client(milvus: MilvusSettings) -> Iterator[Any]:
    connected = connect(milvus)
    yield connected
    connected.close()


@pytest.fixture
def search(milvus: MilvusSettings) -> Iterator[ItemSearch]:
    with ItemSearch(milvus) as opened:
        yield opened


def small_tables(seed: int = 0, items: int = ITEMS) -> BundleTables:
    """Tables of made items whose embeddings lie in clusters, as trained ones do."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(40, DIM))
    embeddings = (centres[random.integers(0, 40, items + 1)] + 0.6 * random.normal(size=(items + 1, DIM))).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    embeddings[0] = 0
    neighbours = np.zeros((items + 1, 3), np.int32), np.zeros((items + 1, 3), np.float32)
    popularity = Popularity({OVERALL: Candidates(np.arange(1, 11, dtype=np.int32), np.linspace(1, 0.1, 10, dtype=np.float32))})
    return BundleTables(
        items=ItemTable.from_items(small_item_rows(items)),
        user_vocabularies={name: Vocabulary(()) for name in USER_CATEGORICAL},
        item_embeddings=embeddings,
        item_to_item=ItemToItem(*neighbours),
        has_neighbours=np.zeros(items + 1, dtype=bool),
        complements=Complements(*neighbours),
        repurchase_gap_days=np.zeros(items + 1, dtype=np.float32),
        popularity=popularity,
        trending=popularity,
        similar_users=SimilarUsers.none(DIM),
    )


def small_item_rows(items: int = ITEMS) -> pl.DataFrame:
    """The canonical items that `small_tables` are of."""
    return pl.DataFrame(
        {
            "item_id": [f"i{number:05}" for number in range(items)],
            "title": [f"Thing {number}" for number in range(items)],
            "category_path": [["shop", f"aisle {number % 7}"] for number in range(items)],
            "brand": [f"brand {number % 5}" for number in range(items)],
            "family_id": [None] * items,
            "price": [None if number % 10 == 0 else 1.0 + number % 9 for number in range(items)],
            "currency": ["USD"] * items,
            "margin": [None] * items,
            "availability": ["in_stock"] * items,
            "created_at": [datetime(2017, 1, 1, tzinfo=UTC)] * items,
            "attributes": ["{}"] * items,
            "image_url": [None] * items,
        },
        schema=pl.from_arrow(arrow_schema(Item).empty_table()).schema,  # type: ignore[union-attr]
    )


def made_evaluation(
    ndcg: float = 0.42, *, baseline: float = 0.40, recall_new: float = 0.09, popular_recall_new: float = 0.08, **changes: Any
) -> Evaluation:
    """An evaluation with these figures; every interval is 0.01 wide."""

    def figure(mean: float) -> Figure:
        return Figure(mean=mean, low=mean - 0.005, high=mean + 0.005)

    def truth(models: dict[str, dict[str, float]], against: str) -> TruthFigures:
        figures = {name: {metric: figure(mean) for metric, mean in means.items()} for name, means in models.items()}
        differences = {
            name: {metric: figure(mean - models[against][metric]) for metric, mean in means.items()}
            for name, means in models.items()
            if name != against
        }
        segment = SegmentFigures(users=50, models=figures)
        return TruthFigures(
            users=100, items_per_user=12.5, models=figures, differences=differences, segments={"history: over 90 items": segment}
        )

    everything = {
        "popular": {"ndcg@10": 0.18, "recall@100": 0.15},
        "own_most_bought": {"ndcg@10": baseline, "recall@100": 0.28},
        "two_tower": {"ndcg@10": 0.2, "recall@100": 0.2},
        "full": {"ndcg@10": ndcg, "recall@100": 0.3},
    }
    new = {
        "popular": {"ndcg@10": 0.04, "recall@100": popular_recall_new},
        "two_tower": {"ndcg@10": 0.05, "recall@100": recall_new},
        "full": {"ndcg@10": 0.06, "recall@100": 0.1},
    }
    bins = [ReliabilityBin(predicted=0.01, observed=0.012, count=900), ReliabilityBin(predicted=0.2, observed=0.18, count=100)]
    fields: dict[str, Any] = {
        "dataset_fingerprint": "f" * 64,
        "data_start": datetime(2017, 1, 1, tzinfo=UTC),
        "data_end": datetime(2018, 1, 1, tzinfo=UTC),
        "cut": datetime(2017, 12, 4, tzinfo=UTC),
        "horizon_days": 28,
        "min_buyers": 5,
        "eligible_items": 1000,
        "candidates_max": 1000,
        "baselines": {ALL: "own_most_bought", NEW: "popular"},
        "truths": {ALL: truth(everything, "own_most_bought"), NEW: truth(new, "popular")},
        "reliability": {"buy": Reliability(error=0.004, bins=bins)},
    }
    return Evaluation(**(fields | changes))


@pytest.fixture
def make_evaluation() -> Callable[..., Evaluation]:
    return made_evaluation


@pytest.fixture
def tables() -> BundleTables:
    return small_tables()


@pytest.fixture
def make_bundle(tmp_path: Path) -> Callable[..., Bundle]:
    """Writes a sealed bundle; its SavedModel is a few bytes, since nothing here loads it."""

    def make(version: int, seed: int = 0, prefix: str = "endcap", folder: Path | None = None, **changes: Any) -> Bundle:
        target = (folder or tmp_path / "made") / str(version)
        (target / "variables").mkdir(parents=True)
        (target / "saved_model.pb").write_bytes(os.urandom(16))
        (target / "variables" / "variables.index").write_bytes(b"index")
        tables = small_tables(seed)
        write_tables(target, tables, small_item_rows())
        fields: dict[str, Any] = {
            "version": version,
            "created_at": datetime(2026, 11, 27, tzinfo=UTC),
            "endcap_version": "0.1.0",
            "collection": f"{prefix}_{version}",
            "embedding_dim": DIM,
            "item_count": len(tables.items) - 1,
            "objectives": list(PURCHASE_OBJECTIVES),
            "data_start": datetime(2017, 1, 1, tzinfo=UTC),
            "data_end": datetime(2018, 1, 1, tzinfo=UTC),
            "cut": datetime(2017, 12, 4, tzinfo=UTC),
            "dataset_fingerprint": "f" * 64,
            "quotas": {"two_tower_quota": 100},
            "metrics": {"full/ndcg@10": 0.4},
        }
        return seal_bundle(target, **(fields | changes))

    return make
