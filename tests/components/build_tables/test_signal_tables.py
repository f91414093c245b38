"""What people and visits looked at and put into carts makes tables where purchases are few."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.contracts.signals import Signals
from endcap.engine.retrieval.popular import OVERALL
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.occasions import latest_start, occasions
from endcap_components.build_tables.popularity import popularity_of
from endcap_components.build_tables.step import build_tables
from endcap_components.build_training_set.step import build_training_set
from tests.endcap.training.made_artifacts import dataset_dir, features_dir

VISITS_LATE = 40


def frame(**columns: list[object]) -> pl.DataFrame:
    return pl.DataFrame(columns, schema_overrides={"item_index": pl.Int32})


def made(folder: Path) -> tuple[TrainingSet, TablesArtifact]:
    """The taste shop with visits of nobody known that put t0-i00 and the never bought item into the cart together."""
    data = folder / "data"
    data.mkdir()
    bought = pl.read_parquet(dataset_dir() / "events.parquet")
    last = bought["occurred_at"].max()
    assert last is not None
    visits = bought.head(2 * VISITS_LATE).with_columns(
        pl.lit(None, dtype=pl.String).alias("user_id"),
        pl.Series("session_id", [f"visit-{number // 2}" for number in range(2 * VISITS_LATE)]),
        pl.Series("event_id", [f"{number:032x}" for number in range(2 * VISITS_LATE)]),
        pl.Series("item_id", ["t0-i00", "never"] * VISITS_LATE),
        pl.lit("add_to_cart").alias("event_type"),
        pl.Series("occurred_at", [last - timedelta(hours=number) for number in range(2 * VISITS_LATE)]).alias("occurred_at"),
    )
    pl.concat([bought, visits.select(bought.columns)]).write_parquet(data / "events.parquet")
    for name in ("items", "users"):
        (data / f"{name}.parquet").write_bytes((dataset_dir() / f"{name}.parquet").read_bytes())
    build_training_set(data, features_dir(), folder / "training", min_buyers=3)
    build_tables(folder / "training", folder / "tables")
    return TrainingSet(folder / "training"), TablesArtifact(folder / "tables")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainingSet, TablesArtifact]:
    return made(tmp_path_factory.mktemp("signals"))


def test_purchases_come_first_and_views_fill() -> None:
    bought = frame(user_id=["u", "w", "u"], item_index=[1, 1, 2], session_id=["a", "b", "a"])
    looked = frame(user_id=["x"] * 4, item_index=[3, 3, 4, 2], weight=[50.0, 50.0, 0.2, 0.2])
    nobody = pl.DataFrame({"user_id": [], **{name: [] for name in USER_CATEGORICAL}}, schema_overrides={"user_id": pl.String})
    table = popularity_of(bought, nobody, 5, looked).by_segment[OVERALL]
    assert table.index.tolist() == [1, 2, 3, 4]
    assert table.score[0] == 1
    assert (table.score > 0).all()
    only_looked = popularity_of(bought.clear(), nobody, 5, looked).by_segment[OVERALL]
    assert only_looked.index.tolist()[0] == 3


def test_an_item_that_was_only_put_into_carts_is_popular_after_what_was_bought(shop: tuple[TrainingSet, TablesArtifact]) -> None:
    training, tables = shop
    popular = tables.at(training.manifest.data_end).popularity.by_segment[OVERALL]
    never = training.items.ids.code("never")
    assert popular.index[-1] == never
    assert never not in tables.at(training.manifest.ranking_windows[0]).popularity.by_segment[OVERALL].index


def test_what_nobody_bought_is_no_neighbour_while_purchases_decide_what_is_eligible(shop: tuple[TrainingSet, TablesArtifact]) -> None:
    training, tables = shop
    found = tables.at(training.manifest.data_end).item_to_item
    assert training.items.ids.code("never") not in found.index
    item = training.items.ids.code("t2-i03")
    nearest = [training.items.ids.names[index - 1] for index in found.index[item] if index]
    assert nearest[0].startswith("t2-")


def test_occasions_count_each_type_once_a_visit_by_its_weight(shop: tuple[TrainingSet, TablesArtifact]) -> None:
    training, _ = shop
    end = training.manifest.data_end
    carts = occasions(training, end - timedelta(days=30), end, [2])
    assert len(carts) == 2 * VISITS_LATE
    assert carts["weight"].unique().to_list() == [Signals().add_to_cart.weight]
    assert latest_start(training, 28, end) == end - timedelta(days=28)
    assert latest_start(training, 28, end + timedelta(days=99)) < end - timedelta(days=28)
