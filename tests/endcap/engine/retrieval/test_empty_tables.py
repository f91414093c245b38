"""Tables without a row or a column, as a shop has where nothing trends and nothing goes together: they give nothing."""

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.candidates import Candidates, union
from endcap.engine.retrieval.complements import Complements, complements_candidates
from endcap.engine.retrieval.content import ContentTable, content_candidates
from endcap.engine.retrieval.item_to_item import ItemToItem, item_to_item_candidates
from endcap.engine.retrieval.popular import OVERALL, TABLE_SCHEMA, Popularity, popular_candidates
from endcap.engine.retrieval.preferences import PopularWithin, preferences_candidates
from endcap.engine.retrieval.similar_users import SimilarUsers, similar_users_candidates
from endcap.engine.retrieval.trending import trending_candidates, trending_of
from tests.endcap.engine.retrieval.made_states import made_state

NOTHING = np.zeros(0, dtype=np.int32)


def everything(index: np.ndarray) -> np.ndarray:
    return np.ones(len(index), dtype=bool)


@pytest.mark.parametrize("by_segment", [{}, {OVERALL: Candidates.none()}, {OVERALL: Candidates.none(), "region=north": Candidates.none()}])
def test_a_table_by_segment_without_an_item_is_written_read_and_gives_nothing(by_segment, tmp_path) -> None:
    Popularity(by_segment).to_frame().write_parquet(tmp_path / "trending.parquet")
    stored = pl.read_parquet(tmp_path / "trending.parquet")
    assert (stored.schema, len(stored)) == (TABLE_SCHEMA, 0)
    for table in (
        Popularity(by_segment),
        Popularity.from_frame(stored),
        Popularity.from_frame(pl.DataFrame({name: [] for name in TABLE_SCHEMA})),
    ):
        for find in (popular_candidates, trending_candidates):
            assert not len(find(table, ["region=north", "region=south"], everything, 5).index)
        assert not len(table.candidates(["region=north"], 5).index)


def test_a_segment_without_items_shows_what_everybody_buys() -> None:
    table = Popularity({OVERALL: Candidates(np.array([3, 1], np.int32), np.array([1, 0.5], np.float32)), "region=north": Candidates.none()})
    again = Popularity.from_frame(table.to_frame())
    assert popular_candidates(table, ["region=north"], everything, 5).index.tolist() == [3, 1]
    assert popular_candidates(again, ["region=north"], everything, 5).index.tolist() == [3, 1]


@pytest.mark.parametrize("neighbours", [0, 3])
def test_no_neighbours_are_no_candidates(neighbours: int) -> None:
    index, weight = np.zeros((5, neighbours), np.int32), np.zeros((5, neighbours), np.float16)
    page = np.array([2, 4], np.int32)
    table = ItemToItem(index, weight)
    assert table.has_neighbours().tolist() == [False] * 5
    assert not len(item_to_item_candidates(table, made_state(), page, everything, 10).index)
    assert not len(complements_candidates(Complements(index, weight), page, everything, 10).index)
    assert not len(complements_candidates(Complements(index, weight), NOTHING, everything, 10).index)


def test_nobody_is_similar_where_nobody_is_known() -> None:
    assert not len(similar_users_candidates(SimilarUsers.none(4), np.ones(4, np.float32), everything, 10).index)


def test_nothing_was_bought_so_nothing_trends() -> None:
    assert not len(trending_of(NOTHING, np.zeros(0, np.float32), np.zeros(0, np.float32), 10).index)


@pytest.mark.parametrize("dim", [1, 4])
def test_a_catalogue_without_categories_brands_and_prices_has_no_content_neighbours(dim: int) -> None:
    missing = {"brand": pl.lit(None, pl.String), "price": pl.lit(None, pl.Float64), "created_at": pl.lit(None, pl.Datetime("us", "UTC"))}
    rows = pl.DataFrame({"item_id": ["a", "b"], "title": ["A", "B"], "availability": ["in_stock"] * 2}).with_columns(
        pl.lit([], pl.List(pl.String)).alias("category_path"), **missing
    )
    items = ItemTable.from_items(rows)
    within = PopularWithin.of(items)
    table = ContentTable.of(items, np.zeros((3, dim), np.float32), np.zeros(3, dtype=bool), within)
    for seeds in (NOTHING, np.array([1], np.int32)):
        assert not len(content_candidates(table, made_state(), seeds, everything, 10).index)
    assert not len(preferences_candidates(within, [[], [7]], [0, 9], everything, 10).index)
    assert not len(union({"content": Candidates.none()}, 10))
