import numpy as np

from endcap.engine.retrieval.complements import Complements, complements_candidates

TABLE = Complements(
    np.array([[0, 0], [2, 4], [1, 4], [4, 0], [0, 0]], np.int32), np.array([[0, 0], [9, 4], [9, 3], [6, 0], [0, 0]], np.float16)
)


def everything(index: np.ndarray) -> np.ndarray:
    return np.ones(len(index), dtype=bool)


def test_what_goes_with_several_items_of_the_cart_comes_first() -> None:
    assert complements_candidates(TABLE, np.array([2, 3], np.int32), everything, 10).index.tolist() == [1, 4]
    assert complements_candidates(TABLE, np.array([1, 3], np.int32), everything, 10).index.tolist() == [4, 2]


def test_the_carts_own_items_are_not_given_back() -> None:
    assert complements_candidates(TABLE, np.array([1, 2], np.int32), everything, 10).index.tolist() == [4]


def test_the_quota_is_spent_on_what_may_be_shown() -> None:
    assert complements_candidates(TABLE, np.array([1], np.int32), lambda index: index != 2, 1).index.tolist() == [4]


def test_an_empty_cart_and_an_item_without_complements_give_nothing() -> None:
    for cart in ([], [4]):
        assert not len(complements_candidates(TABLE, np.array(cart, np.int32), everything, 10).index)
