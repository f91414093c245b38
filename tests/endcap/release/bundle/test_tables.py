from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from endcap.contracts.bundle import OPTIONAL_TABLES, TABLES
from endcap.core.errors import BundleInvalid
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.similar_users import SimilarUsers
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.tables import BundleTables, read_tables, write_tables
from tests.endcap.conftest import small_item_rows


@pytest.fixture
def written(tmp_path: Path, tables: BundleTables) -> Path:
    users = SimilarUsers(np.ones((2, 16), np.float32), np.ones((2, 3), np.int32), np.full((2, 3), 0.5, np.float32))
    write_tables(tmp_path, replace(tables, similar_users=users), small_item_rows())
    return tmp_path


def test_what_is_written_is_what_the_contract_names(written: Path) -> None:
    assert {f"tables/{path.name}" for path in (written / "tables").iterdir()} == set(TABLES)


@pytest.mark.parametrize("memory_map", [False, True])
def test_tables_survive_storage(written: Path, tables: BundleTables, memory_map: bool) -> None:
    again = read_tables(written, memory_map)
    assert again.items.ids == tables.items.ids
    for found, expected in (
        (again.item_embeddings, tables.item_embeddings),
        (again.item_to_item.index, tables.item_to_item.index),
        (again.complements.weight, tables.complements.weight),
        (again.has_neighbours, tables.has_neighbours),
        (again.repurchase_gap_days, tables.repurchase_gap_days),
        (again.similar_users.index, np.ones((2, 3), np.int32)),
    ):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    assert again.trending.to_frame().equals(tables.trending.to_frame())


@pytest.mark.parametrize("memory_map", [False, True])
def test_the_table_of_ease_is_there_where_it_was_written(tmp_path: Path, tables: BundleTables, memory_map: bool) -> None:
    ease = ItemToItem(np.full((len(tables.items), 2), 3, np.int32), np.full((len(tables.items), 2), 0.5, np.float16))
    write_tables(tmp_path, replace(tables, ease=ease), small_item_rows())
    assert {f"tables/{path.name}" for path in (tmp_path / "tables").iterdir()} == {*TABLES, *OPTIONAL_TABLES}
    again = read_tables(tmp_path, memory_map)
    np.testing.assert_array_equal(again.ease.index, ease.index)
    np.testing.assert_array_equal(again.ease.weight, ease.weight)
    assert again.neighbours.ease is again.ease


def test_a_bundle_without_the_table_of_ease_has_an_empty_one(written: Path) -> None:
    assert read_tables(written).ease.is_empty


def test_half_a_table_of_ease_is_no_bundle(make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle(1)
    (bundle.path / "tables" / "ease_index.npy").write_bytes(b"half")
    with pytest.raises(BundleInvalid, match=r"ease_weight\.npy"):
        open_bundle(bundle.path)


def test_mapped_arrays_are_plain_arrays_that_cannot_be_written(written: Path) -> None:
    index = read_tables(written, memory_map=True).item_to_item.index
    assert type(index) is np.ndarray
    assert not index.flags.writeable
