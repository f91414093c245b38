"""Packed answers equal those of polars over the whole catalogue."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.engine.rules.conditions import item_bits
from endcap.engine.rules.conditions.columns import ITEM_COLUMNS
from endcap.engine.rules.conditions.item_bits import AnyColumn, BitPlaces, ColumnSums, ItemBits, members
from endcap.engine.rules.conditions.item_values import ItemValues
from tests.endcap.engine.rules.made_catalogue import NOW
from tests.properties import examples

NOW_S = int(NOW.timestamp())
CONDITIONS = [
    "brand = 'Own 1'",
    "brand is null",
    "not (brand = 'Own 1')",
    "price < 3",
    "price > 3 or available",
    "margin is null and category_1 = 'Food'",
    "starts_with(category, 'Food > Co')",
    "title ilike 'thing 3%' or item_id in ('i0007', 'i0008')",
    "age_days between 10 and 30",
    "trend * purchases_7d > 20",
    "category_3 = 'Food > Tea'",
]


def directly(condition: str, values: ItemValues) -> np.ndarray:
    frame = values.frame([column.name for column in ITEM_COLUMNS], slice(0, len(values.items)))
    held = frame.select(pl.sql_expr(condition).fill_null(False).alias("held"))["held"].to_numpy().copy()
    held[0] = False
    return held


@pytest.fixture(scope="module")
def values(items: ItemTable) -> ItemValues:
    return ItemValues.of(items, NOW_S)


@examples(20)
@given(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=20), st.sampled_from([1, 64, 10_000]))
def test_every_bit_is_what_polars_says_of_the_item(values: ItemValues, conditions: list[str], block_rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_bits, "BLOCK_ROWS", max(block_rows, 16))
        bits = ItemBits.work_out([pl.sql_expr(condition) for condition in conditions], values)
    assert bits.packed.shape == (len(values.items), -(-len(conditions) // 8)) and bits.packed.dtype == np.uint8
    for bit, condition in enumerate(conditions):
        np.testing.assert_array_equal(bits.of(bit, slice(None)), directly(condition, values), err_msg=condition)


@pytest.mark.parametrize("column", [column.name for column in ITEM_COLUMNS])
def test_rows_by_index_are_those_of_a_slice(values: ItemValues, column: str) -> None:
    index = np.array([5, 1, 202, 77], dtype=np.int32)
    everything = values.series(column, slice(0, len(values.items)))
    assert values.series(column, index).equals(everything.gather(index))
    assert everything.dtype == next(known.dtype for known in ITEM_COLUMNS if known.name == column)


def test_what_is_unknown_is_null(values: ItemValues) -> None:
    frame = values.frame(["brand", "category", "price", "margin", "age_days"], np.array([1], dtype=np.int32))
    assert frame.row(0) == (None, "Food > Coffee > Beans", None, None, None)


def test_new_prices_and_stock_change_only_what_reads_them(values: ItemValues) -> None:
    expressions = [pl.sql_expr(condition) for condition in CONDITIONS]
    before = ItemBits.work_out(expressions, values)
    items = replace(values.items, price=values.items.price + 1, available=~values.items.available)
    after = values.updated(items, NOW_S)
    np.testing.assert_array_equal(before.updated(values, after).packed, ItemBits.work_out(expressions, after).packed)
    static = ItemBits.work_out(expressions[:3], values)
    assert static.updated(values, after) is static


def test_items_grow_older(values: ItemValues) -> None:
    bits = ItemBits.work_out([pl.sql_expr("age_days >= 100")], values)
    later = bits.updated(values, values.updated(values.items, NOW_S + 50 * 86_400))
    assert later.of(0, slice(None)).sum() > bits.of(0, slice(None)).sum()


@examples(40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(0, 12))
def test_packed_arithmetic_equals_that_of_single_bits(seed: int, bit_count: int, chosen: int) -> None:
    random = np.random.default_rng(seed)
    unpacked = random.random((17, bit_count)) < 0.4
    packed = np.packbits(unpacked, axis=1, bitorder="little")
    bits = random.integers(0, bit_count, chosen)
    places = BitPlaces.of(bits.tolist())
    kept = packed.take(places.bytes, axis=1)
    columns = np.array([places.column(bit) for bit in bits.tolist()], dtype=np.intp)
    weights = random.normal(size=chosen).astype(np.float32)
    np.testing.assert_array_equal(members(kept, columns), unpacked[:, bits].T)
    np.testing.assert_array_equal(AnyColumn(columns).of(kept.T), unpacked[:, bits].any(axis=1))
    sums = ColumnSums(len(places.bytes), columns, weights)
    np.testing.assert_allclose(sums.of(kept), unpacked[:, bits] @ weights, rtol=1e-5, atol=1e-5)
