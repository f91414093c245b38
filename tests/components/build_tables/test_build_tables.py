from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.core.errors import DataRejected, InvalidInput
from endcap.engine.retrieval.popular import OVERALL
from endcap.features.columns import USER_CATEGORICAL
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.popularity import SEGMENT_USERS_MIN, popularity_of
from endcap_components.build_tables.step import build_tables
from tests.endcap.training.made_artifacts import tables_dir, training_dir


def users_of_age(bands: list[str | None]) -> pl.DataFrame:
    columns = {name: bands if name == "age_band" else [None] * len(bands) for name in USER_CATEGORICAL}
    return pl.DataFrame({"user_id": [str(number) for number in range(len(bands))], **columns})


def copied_training(folder: Path) -> Path:
    """The taste shop's training set, whose tables may be written anew."""
    folder.mkdir()
    for path in training_dir().iterdir():
        if path.is_dir():
            (folder / path.name).symlink_to(path)
        else:
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_neighbours_share_the_taste() -> None:
    training = TrainingSet(training_dir())
    table = TablesArtifact(tables_dir()).at(training.manifest.cut).item_to_item
    nearest = training.items.ids.names[table.index[training.items.ids.code("t2-i03"), 0] - 1]
    assert nearest.startswith("t2-")


def test_small_groups_have_no_segment_of_their_own() -> None:
    bands = ["25-34"] * SEGMENT_USERS_MIN + ["65+"] * (SEGMENT_USERS_MIN - 1)
    bought = pl.DataFrame(
        {"user_id": [str(number) for number in range(len(bands))], "item_index": [1] * len(bands), "session_id": ["a"] * len(bands)}
    )
    assert set(popularity_of(bought, users_of_age(bands), 3).by_segment) == {OVERALL, "age_band=25-34"}


def test_one_basket_counts_once_for_popularity() -> None:
    bought = pl.DataFrame({"user_id": ["0"] * 4, "item_index": [1, 1, 2, 2], "session_id": ["a", "a", "a", "b"]})
    assert popularity_of(bought, users_of_age([None]), 3).by_segment[OVERALL].index.tolist() == [2, 1]


def test_what_was_returned_counts_until_then_and_not_afterwards(tmp_path: Path) -> None:
    training = TrainingSet(training_dir())
    cut, returned = training.manifest.cut, 7
    changed = copied_training(tmp_path / "training")
    back = pl.when(pl.col("item_index") == returned).then(pl.max_horizontal(pl.lit(cut), "occurred_at") + timedelta(hours=1))
    training.purchases.with_columns(back.alias("taken_off_at")).write_parquet(changed / "purchases.parquet")
    build_tables(changed, tmp_path / "tables")
    before, after = (TablesArtifact(tables_dir()), TablesArtifact(tmp_path / "tables"))
    assert after.at(cut).popularity.to_frame().equals(before.at(cut).popularity.to_frame())
    np.testing.assert_array_equal(after.at(cut).item_to_item.index, before.at(cut).item_to_item.index)
    end = training.manifest.data_end
    assert returned in before.at(end).popularity.by_segment[OVERALL].index
    assert returned not in after.at(end).popularity.by_segment[OVERALL].index
    assert returned not in after.at(end).item_to_item.index
    assert after.at(end).repurchase_gap_days[returned] == 0


def test_tables_of_a_moment_do_not_see_the_future(tmp_path: Path) -> None:
    training = TrainingSet(training_dir())
    cut = training.manifest.cut
    changed = copied_training(tmp_path / "training")
    after = pl.col("occurred_at") >= cut
    training.purchases.with_columns(
        pl.when(after).then(7).otherwise(pl.col("item_index")).cast(pl.Int32).alias("item_index")
    ).write_parquet(changed / "purchases.parquet")
    build_tables(changed, tmp_path / "tables")
    for moment in (*training.manifest.ranking_windows, cut):
        here, there = TablesArtifact(tables_dir()).at(moment), TablesArtifact(tmp_path / "tables").at(moment)
        np.testing.assert_array_equal(here.item_to_item.index, there.item_to_item.index)
        assert here.popularity.to_frame().equals(there.popularity.to_frame())
        np.testing.assert_array_equal(here.repurchase_gap_days, there.repurchase_gap_days)


def test_what_is_only_served_is_counted_as_of_the_data_end() -> None:
    training = TrainingSet(training_dir())
    tables = TablesArtifact(tables_dir())
    served = tables.served_at(training.manifest.data_end)
    assert served.complements.index.shape == (len(training.items), 50)
    assert OVERALL in served.trending.by_segment
    with pytest.raises(DataRejected, match="build_tables"):
        tables.served_at(training.manifest.cut)


OTHERS = {"ease": {"regularisation": 5.0}, "als": {"factors": 8}, "content": {}}


@pytest.mark.parametrize("name", OTHERS)
def test_any_method_with_neighbours_makes_the_table(name: str, tmp_path: Path) -> None:
    training = TrainingSet(training_dir())
    build_tables(training_dir(), tmp_path / "tables", item_to_item={"method": name, **OTHERS[name]}, seed=1)
    table = TablesArtifact(tmp_path / "tables").at(training.manifest.cut).item_to_item
    nearest = training.items.ids.names[table.index[training.items.ids.code("t2-i03"), 0] - 1]
    assert nearest.startswith("t2-")
    default = TablesArtifact(tables_dir()).at(training.manifest.cut).item_to_item
    assert table.index.shape == default.index.shape
    assert not np.array_equal(table.weight, default.weight)


def test_a_method_without_neighbours_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"item_to_item.method: .*got 'popular'; one of item_to_item_cosine"):
        build_tables(tmp_path / "missing", tmp_path / "tables", item_to_item={"method": "popular"})
