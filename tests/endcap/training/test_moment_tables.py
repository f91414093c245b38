from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from endcap.core.errors import DataRejected
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.popular import OVERALL, Popularity
from endcap.training.moment_tables import TablesArtifact

FIRST = datetime(2025, 3, 3, tzinfo=UTC)


def neighbours(item: int) -> ItemToItem:
    return ItemToItem(np.full((4, 1), item, dtype=np.int32), np.ones((4, 1), dtype=np.float32))


def popularity() -> Popularity:
    return Popularity({OVERALL: Candidates(np.array([2], dtype=np.int32), np.ones(1, dtype=np.float32))})


def test_later_window_shares_the_newest_table_that_is_not_younger(tmp_path: Path) -> None:
    tables = TablesArtifact(tmp_path)
    tables.write_item_to_item(FIRST, neighbours(1))
    tables.write_item_to_item(FIRST + timedelta(days=28), neighbours(2))
    tables.write_popularity(FIRST + timedelta(days=14), popularity())
    tables.write_repurchase_gaps(FIRST + timedelta(days=14), np.array([0, 7, 0, 0], dtype=np.float32))
    found = tables.at(FIRST + timedelta(days=14))
    assert found.item_to_item.index[0, 0] == 1
    assert found.repurchase_gap_days[1] == 7
    assert found.popularity.by_segment[OVERALL].index.tolist() == [2]


def test_a_moment_has_the_newest_weights_of_ease_that_are_not_younger_and_none_before_the_first(tmp_path: Path) -> None:
    tables = TablesArtifact(tmp_path)
    for days in (0, 14, 28):
        moment = FIRST + timedelta(days=days)
        tables.write_item_to_item(moment, neighbours(1))
        tables.write_popularity(moment, popularity())
        tables.write_repurchase_gaps(moment, np.zeros(4, dtype=np.float32))
    tables.write_ease(FIRST + timedelta(days=14), neighbours(3))
    assert tables.at(FIRST).ease.is_empty
    assert tables.at(FIRST).neighbours.ease.is_empty
    for days in (14, 28):
        found = tables.at(FIRST + timedelta(days=days))
        assert found.neighbours.ease is found.ease
        assert found.ease.index[0, 0] == 3


def test_moment_without_tables_is_refused(tmp_path: Path) -> None:
    tables = TablesArtifact(tmp_path)
    tables.write_item_to_item(FIRST, neighbours(1))
    with pytest.raises(DataRejected, match="build_tables"):
        tables.at(FIRST)
