"""Artifacts of the taste shop, each made by its real step when a test first asks for it, once for all test folders."""

import tempfile
from functools import cache
from pathlib import Path

from endcap.core.settings import RetrievalSettings
from endcap.features.computing import build_feature_tables
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.step import train_ranker
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.step import train_two_tower
from tests.endcap.training.taste_shop import write_taste_shop

QUOTAS = RetrievalSettings(two_tower_quota=40, item_to_item_quota=30, buy_again_quota=30, popular_quota=20, candidates_max=80)
TWO_TOWER = TwoTowerHyperparameters(dim=16, epochs=3, batch_size=64, learning_rate=0.01)
RANKER = RankerHyperparameters(epochs=4, steps_min=1, hidden=(32, 16), members=1, learning_rate=2e-3)
SEED = 3

_folder = tempfile.TemporaryDirectory(prefix="endcap-taste-shop-")


@cache
def dataset_dir() -> Path:
    return write_taste_shop(Path(_folder.name) / "dataset")


@cache
def features_dir() -> Path:
    build_feature_tables(dataset_dir(), Path(_folder.name) / "features")
    return Path(_folder.name) / "features"


@cache
def training_dir() -> Path:
    build_training_set(dataset_dir(), features_dir(), Path(_folder.name) / "training", min_buyers=3)
    return Path(_folder.name) / "training"


@cache
def tables_dir() -> Path:
    build_tables(training_dir(), Path(_folder.name) / "tables")
    return Path(_folder.name) / "tables"


@cache
def two_tower_dir() -> Path:
    train_two_tower(training_dir(), Path(_folder.name) / "two_tower", TWO_TOWER, SEED)
    return Path(_folder.name) / "two_tower"


@cache
def ranker_dir() -> Path:
    out = Path(_folder.name) / "ranker"
    train_ranker(training_dir(), tables_dir(), two_tower_dir(), out, parameters=RANKER, quotas=QUOTAS, seed=SEED)
    return out
