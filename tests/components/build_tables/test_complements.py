from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_components.build_tables.complements import SUPPORT_MIN, complements_of, supported_lift
from tests.properties import examples


def baskets(*contents: list[int]) -> pl.DataFrame:
    rows = [(f"s{number}", item) for number, items in enumerate(contents) for item in items]
    return pl.DataFrame(rows, schema={"session_id": pl.String, "item_index": pl.Int32}, orient="row")


def test_a_staple_does_not_stand_beside_everything() -> None:
    chips, salsa, bananas = 1, 2, 3
    shop = baskets(*[[chips, salsa, bananas]] * 6, *[[bananas, 4]] * 100, *[[bananas]] * 20, *[[5, 6]] * 30)
    table = complements_of(shop, 6, neighbours=5)
    assert table.index[chips, 0] == salsa
    assert table.index[salsa, 0] == chips
    assert bananas not in table.index[chips][table.weight[chips] > 2]


def test_pairs_below_the_support_are_chance() -> None:
    table = complements_of(baskets(*[[1, 2]] * (int(SUPPORT_MIN) - 1), *[[3, 4]] * 30), 4)
    assert not table.index[1].any()
    assert table.index[3, 0] == 4


def test_one_basket_counts_a_pair_once() -> None:
    often = baskets(*[[1, 2, 1, 2]] * 5, *[[3]] * 20)
    once = baskets(*[[1, 2]] * 5, *[[3]] * 20)
    np.testing.assert_array_equal(complements_of(often, 3).weight, complements_of(once, 3).weight)


@examples(30)
@given(st.lists(st.sets(st.integers(1, 5), min_size=1), min_size=1, max_size=40))
def test_weights_are_the_supported_lift_of_each_pair(contents: list[set[int]]) -> None:
    table = complements_of(baskets(*[sorted(items) for items in contents]), 5, neighbours=5)
    for one, other in combinations(range(1, 6), 2):
        together = sum({one, other} <= items for items in contents)
        # Baskets of one item say how many there are and nothing about what goes together.
        of_one, of_other = (sum(item in items and len(items) > 1 for items in contents) for item in (one, other))
        expected = supported_lift(np.array([together], np.float32), of_one, np.array([of_other], np.float32), baskets=len(contents))[0]
        found = dict(zip(table.index[one].tolist(), table.weight[one].tolist(), strict=True))
        assert found.get(other, 0.0) == pytest.approx(float(expected), rel=2e-3, abs=1e-6)


def test_an_empty_shop_has_no_complements() -> None:
    assert not complements_of(baskets(), 3).index.any()
