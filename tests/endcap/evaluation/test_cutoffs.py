"""Depths follow the catalogue: no list of a small shop is right by its length alone."""

from hypothesis import given
from hypothesis import strategies as st

from endcap.evaluation.cutoffs import Cutoffs


def test_large_catalogues_are_judged_at_10_and_100() -> None:
    assert (Cutoffs.of(400), Cutoffs.of(24_472)) == (Cutoffs(10, 100), Cutoffs(10, 100))
    assert Cutoffs.of(24_472).accuracy == (5, 10, 20)


def test_a_kiosk_of_50_items_is_judged_at_a_quarter_of_them() -> None:
    assert Cutoffs.of(50) == Cutoffs(10, 12)


@given(st.integers(0, 2000))
def test_depths_are_a_part_of_the_catalogue_and_in_order(items: int) -> None:
    cutoffs = Cutoffs.of(items)
    assert 1 <= cutoffs.main <= cutoffs.deep <= 100
    assert cutoffs.main <= max(1, items / 5) and cutoffs.deep <= max(1, items / 4)
    assert cutoffs.main in cutoffs.accuracy
    assert list(cutoffs.accuracy) == sorted(set(cutoffs.accuracy)) and max(cutoffs.accuracy) <= cutoffs.deep
