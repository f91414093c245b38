"""Reasons name the item they follow from."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap_transformer.path.reasons import nearest_seed

TABLE = ItemToItem(
    index=np.array([[0, 0], [4, 5], [5, 4], [4, 0], [0, 0], [0, 0]], dtype=np.int32),
    weight=np.array([[0, 0], [0.9, 0.2], [0.8, 0.1], [0.9, 0], [0, 0], [0, 0]], dtype=np.float32),
)


def test_the_seed_with_the_strongest_tie_is_named() -> None:
    found = nearest_seed(np.array([4, 5], np.int32), np.array([1, 2], np.int32), TABLE)
    assert found.tolist() == [1, 2]


def test_of_equal_ties_the_first_seed_is_named() -> None:
    assert nearest_seed(np.array([4], np.int32), np.array([3, 1], np.int32), TABLE).tolist() == [3]


@given(index=st.lists(st.integers(1, 5), max_size=5, unique=True), seeds=st.lists(st.integers(1, 5), max_size=6))
def test_it_agrees_with_looking_at_every_pair(index, seeds) -> None:
    found = nearest_seed(np.array(index, np.int32), np.array(seeds, np.int32), TABLE)
    for item, seed in zip(index, found, strict=True):
        ties = {place: dict(zip(TABLE.index[place], TABLE.weight[place], strict=True)).get(item, 0.0) for place in seeds}
        strongest = max(ties.values(), default=0.0)
        assert (seed == 0) == (strongest == 0)
        assert seed == 0 or ties[int(seed)] == strongest
