"""Untrained models of the pipeline's own architectures and default hyperparameters: what they cost to serve is what trained ones cost.

The towers and the ranker are those of `components`, exported by the pipeline's own code; only `fit` is left out. Items start where training
starts them, at factors that content explains in part, so that embeddings lie in clusters as learned ones do.
"""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.features.columns import PAIR_NUMERIC, PURCHASE_OBJECTIVES, USER_CATEGORICAL, USER_NUMERIC
from endcap.release.bundle.tables import BundleTables
from endcap.training.tensorflow_setup import prepare_tensorflow

TASTES = 400
"""Directions that items' factors scatter around, as shelves of a shop do."""
TASTE_SHARE = 0.8
BUY_OFFSET = -3.0
"""Calibration's offset: few candidates are bought."""


def write_models(folder: Path, tables: BundleTables, dim: int, seed: int) -> NDArray[np.float32]:
    """Write `two_tower/` and `ranker/`, both SavedModels as the training steps export them.

    Args:
        folder: to write into.
        tables: of the bundle; n items, embeddings unused.
        dim: of the embeddings.
        seed: of the weights.

    Returns:
        Item embeddings, float32 [n + 1, dim], unit length, row 0 zeros.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    prepare_tensorflow(seed)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of every layer that could be saved in another way, too
    embeddings = _write_two_tower(folder / "two_tower", tables, dim, seed)
    _write_ranker(folder / "ranker", tables, embeddings, seed)
    return embeddings


def _write_two_tower(folder: Path, tables: BundleTables, dim: int, seed: int) -> NDArray[np.float32]:
    from endcap.training.normalisation import Standardisation
    from endcap_components.train_two_tower.content import item_content
    from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
    from endcap_components.train_two_tower.window.export import export_query_encoder
    from endcap_components.train_two_tower.window.item_tower import ItemTower
    from endcap_components.train_two_tower.window.model import TwoTower
    from endcap_components.train_two_tower.window.query_tower import QueryTower
    from endcap_components.train_two_tower.window.train import embeddings_at, identities

    random = np.random.default_rng(seed)
    parameters = TwoTowerHyperparameters(dim=dim)
    items = tables.items
    trained = np.arange(1, len(items), dtype=np.int32)
    item_tower = ItemTower(
        dim,
        trained,
        item_content(items, parameters.title_buckets, parameters.price_buckets),
        Standardisation.fit(items.numeric[1:]),
        start=_factors(items.leaf_code[1:], dim - 1, random),
        id_dropout=parameters.id_dropout,
    )
    users = Standardisation.fit(random.random((1_000, len(USER_NUMERIC)), dtype=np.float32))
    query_tower = QueryTower(parameters, users, category_sizes(tables.user_vocabularies))
    model = TwoTower(query_tower, item_tower, trained, parameters.temperature)
    identity = identities(model)
    export_query_encoder(model, identity, folder)
    return embeddings_at(model, identity, items.numeric)


def _factors(leaf: NDArray[np.int32], dim: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Unit length, float32 [n, dim]: an item is its shelf's direction and its own."""
    tastes = random.standard_normal((TASTES, dim), dtype=np.float32)
    own = random.standard_normal((len(leaf), dim), dtype=np.float32)
    factors = TASTE_SHARE * tastes[leaf % TASTES] + (1.0 - TASTE_SHARE) * own
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    return factors


def _write_ranker(folder: Path, tables: BundleTables, embeddings: NDArray[np.float32], seed: int) -> None:
    from endcap.training.normalisation import Standardisation
    from endcap_components.train_ranker.calibration import PlattScaling
    from endcap_components.train_ranker.export import ServedRanker, export_ranker
    from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
    from endcap_components.train_ranker.model import Ranker, RankerConstants

    random = np.random.default_rng(seed + 1)
    constants = RankerConstants(
        user_numeric=Standardisation.fit(random.random((1_000, len(USER_NUMERIC)), dtype=np.float32)),
        item_numeric=Standardisation.fit(tables.items.numeric[1:]),
        pair_numeric=Standardisation.fit(random.random((1_000, len(PAIR_NUMERIC)), dtype=np.float32)),
        category_sizes=category_sizes(tables.user_vocabularies),
        objectives=PURCHASE_OBJECTIVES,
    )
    ranker = Ranker(RankerHyperparameters(), constants)
    calibration = {name: PlattScaling(slope=1.0, offset=BUY_OFFSET) for name in PURCHASE_OBJECTIVES}
    export_ranker(ServedRanker(ranker, calibration, embeddings), folder)


def category_sizes(vocabularies: Mapping[str, Vocabulary]) -> list[int]:
    return [len(vocabularies[name]) for name in USER_CATEGORICAL]
