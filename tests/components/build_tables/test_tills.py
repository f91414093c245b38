"""A shop whose tills know no customers: its baskets make the tables."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.engine.retrieval.popular import OVERALL
from endcap.features.computing import build_feature_tables
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from tests.endcap.training.made_artifacts import dataset_dir, training_dir


def built(folder: Path, events: pl.DataFrame) -> tuple[TrainingSet, TablesArtifact]:
    data = folder / "data"
    data.mkdir()
    events.write_parquet(data / "events.parquet")
    pl.read_parquet(dataset_dir() / "items.parquet").write_parquet(data / "items.parquet")
    build_feature_tables(data, folder / "features")
    build_training_set(data, folder / "features", folder / "training", min_buyers=3)
    build_tables(folder / "training", folder / "tables")
    return TrainingSet(folder / "training"), TablesArtifact(folder / "tables")


@pytest.fixture(scope="module")
def events() -> pl.DataFrame:
    return pl.read_parquet(dataset_dir() / "events.parquet")


def test_baskets_without_customers_make_neighbours_complements_trends_and_popularity(
    tmp_path_factory: pytest.TempPathFactory, events: pl.DataFrame
) -> None:
    training, tables = built(tmp_path_factory.mktemp("tills"), events.with_columns(pl.lit(None, dtype=pl.String).alias("user_id")))
    end = training.manifest.data_end
    assert training.manifest.users == 0
    assert len(training.purchases_of_all) == len(events)
    assert training.eligible_at(end).sum() > 90
    found = tables.at(end)
    item = training.items.ids.code("t2-i03")
    nearest = [training.items.ids.names[index - 1] for index in found.item_to_item.index[item] if index]
    assert nearest[0].startswith("t2-")
    assert set(found.popularity.by_segment) == {OVERALL}
    assert len(found.popularity.by_segment[OVERALL].index) > 90
    assert not found.repurchase_gap_days.any()
    assert tables.served_at(end).complements.index.any()
    assert len(training.labels_at(training.manifest.cut)) == 0


def test_anonymous_baskets_add_to_what_customers_buy_and_change_nothing_of_theirs(
    tmp_path_factory: pytest.TempPathFactory, events: pl.DataFrame
) -> None:
    baskets = events.filter(pl.col("item_id") == "t1-i05")
    tills = [
        baskets.with_columns(
            pl.format("{}-{}", pl.lit(copy), "event_id").alias("event_id"),
            pl.lit(None, dtype=pl.String).alias("user_id"),
            pl.format("{}-{}", pl.lit(copy), "session_id").alias("session_id"),
        )
        for copy in ("x", "y", "z")
    ]
    training, tables = built(tmp_path_factory.mktemp("mixed"), pl.concat([events, *tills]))
    alone = TrainingSet(training_dir())
    assert training.labels_at(training.manifest.cut).equals(alone.labels_at(alone.manifest.cut))
    assert training.sequences.users == alone.sequences.users
    popular = tables.at(training.manifest.data_end).popularity.by_segment[OVERALL]
    assert training.items.ids.names[popular.index[0] - 1] == "t1-i05"
    np.testing.assert_array_equal(training.examples.target_count, alone.examples.target_count)
