"""Artifacts of the taste shop, each made by its real step when a test first asks for it, once for all workers of a session."""

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
from tests.artifacts_folder import made_once
from tests.endcap.training.taste_shop import write_taste_shop

QUOTAS = RetrievalSettings(two_tower_quota=40, item_to_item_quota=30, buy_again_quota=30, popular_quota=20, candidates_max=80)
TWO_TOWER = TwoTowerHyperparameters(dim=16, epochs=3, batch_size=64, learning_rate=0.01)
RANKER = RankerHyperparameters(epochs=4, steps_min=1, hidden=(32, 16), members=1, learning_rate=2e-3)
SEED = 3


@cache
def dataset_dir() -> Path:
    return made_once("dataset", write_taste_shop)


@cache
def features_dir() -> Path:
    return made_once("features", lambda out: build_feature_tables(dataset_dir(), out))


@cache
def training_dir() -> Path:
    return made_once("training", lambda out: build_training_set(dataset_dir(), features_dir(), out, min_buyers=3))


@cache
def tables_dir() -> Path:
    return made_once("tables", lambda out: build_tables(training_dir(), out))


@cache
def two_tower_dir() -> Path:
    return made_once("two_tower", lambda out: train_two_tower(training_dir(), out, TWO_TOWER, SEED))


@cache
def ranker_dir() -> Path:
    def train(out: Path) -> None:
        train_ranker(training_dir(), tables_dir(), two_tower_dir(), out, parameters=RANKER, quotas=QUOTAS, seed=SEED)

    return made_once("ranker", train)
