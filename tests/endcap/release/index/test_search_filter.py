import numpy as np
import pytest

from endcap.release.index.search_filter import SearchFilter, search_expression


def test_nothing_asked_is_no_expression() -> None:
    assert search_expression(SearchFilter(available=False)) is None


@pytest.mark.parametrize(
    ("narrowed", "expression"),
    [
        (SearchFilter(), "available == true"),
        (SearchFilter(categories=[3, 5]), "available == true && category in [3,5]"),
        (SearchFilter(available=False, brands=np.array([2, 0, 7])), "brand in [2,7]"),
        (SearchFilter(available=False, price_min=2), "price >= 2.000000000000"),
        (SearchFilter(available=False, price_max=2.5), "0.000000000000 <= price <= 2.500000000000"),
        (SearchFilter(available=False, price_min=-1, price_max=3), "0.000000000000 <= price <= 3.000000000000"),
    ],
)
def test_conditions_are_joined(narrowed: SearchFilter, expression: str) -> None:
    assert search_expression(narrowed) == expression


def test_codes_that_nobody_knows_match_no_item() -> None:
    assert search_expression(SearchFilter(available=False, categories=[], brands=[0])) == "item_index == 0 && item_index == 0"


def test_a_price_is_compared_as_it_is_stored() -> None:
    expression = search_expression(SearchFilter(available=False, price_min=0.1))
    assert expression is not None
    assert np.float32(expression.removeprefix("price >= ")) == np.float32(0.1)
