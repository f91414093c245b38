"""Purchases of nobody known count as baskets: for what is eligible, bought together and popular."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from endcap.contracts.training_plan import TrainingPlan
from endcap.dataset.layout import open_dataset
from endcap.features.computing import build_feature_tables
from endcap.features.snapshots import FeatureOptions
from endcap.training.moment_tables import TablesArtifact
from endcap.training.planning.planning import Requested, plan_training
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from tests.journeys.shops import START, Line, shoppers, write_dataset


def made(folder: Path, lines: list[Line]) -> tuple[TrainingPlan, TrainingSet, TablesArtifact]:
    dataset = open_dataset(write_dataset(folder / "shop", lines))
    plan = plan_training(dataset, Requested())
    build_feature_tables(dataset.path, folder / "features", FeatureOptions.of(plan.times))
    build_training_set(dataset.path, folder / "features", folder / "training", plan=plan)
    build_tables(folder / "training", folder / "tables", neighbours=10)
    return plan, TrainingSet(folder / "training"), TablesArtifact(folder / "tables")


@pytest.fixture(scope="module")
def known() -> list[Line]:
    return shoppers(users=40, weeks=12, seed=21)


def test_baskets_of_nobody_make_the_tables_that_do_not_need_people(known: list[Line], tmp_path: Path) -> None:
    plan, training, tables = made(tmp_path, [replace(line, user=None) for line in known])
    end = training.manifest.data_end
    assert not plan.is_personal
    assert len(training.purchases) == 0
    assert len(training.purchases_of_all) == len(known)
    assert training.eligible_at(end).sum() == plan.facts.trainable_items
    assert (tables.at(end).item_to_item.index[:, 0] > 0).any()
    assert (tables.served_at(end).complements.index[:, 0] > 0).any()
    assert len(tables.at(end).popularity.candidates([], 100).index) > 10


def test_where_everybody_is_known_nothing_is_added(known: list[Line], tmp_path: Path) -> None:
    _, training, _ = made(tmp_path, known)
    assert training.purchases_of_all is training.purchases


def test_what_was_bought_last_stays_popular_where_nothing_was_bought_of_late(known: list[Line], tmp_path: Path) -> None:
    later = Line("u000", "i000", START + timedelta(weeks=30), "look", "product_view")
    _, training, tables = made(tmp_path, [*known, later])
    assert len(tables.at(training.manifest.data_end).popularity.candidates([], 10).index) == 10
