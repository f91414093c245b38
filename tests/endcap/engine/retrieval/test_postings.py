import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.retrieval.postings import parents, postings, postings_with_ancestors

CATEGORIES = Vocabulary(("Food", "Food > Dairy", "Food > Fruit", "Food > Fruit > Apples", "Garden"))


@given(st.lists(st.integers(0, 4), max_size=40))
def test_every_code_lists_its_items_in_the_given_order(codes: list[int]) -> None:
    index = np.arange(100, 100 + len(codes), dtype=np.int32)
    table = postings(np.array(codes, np.int32), index, 5)
    for code in range(1, 5):
        assert table.of(code).tolist() == [item for item, of_item in zip(index.tolist(), codes, strict=True) if of_item == code]
    assert not len(table.of(0))
    assert not len(table.of(5))


def test_parents_are_one_level_up() -> None:
    assert parents(CATEGORIES).tolist() == [0, 0, 1, 1, 3, 0]


@given(st.lists(st.integers(0, 5), max_size=40))
def test_a_category_lists_what_lies_below_it_in_the_given_order(leaves: list[int]) -> None:
    index = np.arange(1, len(leaves) + 1, dtype=np.int32)
    table = postings_with_ancestors(np.array(leaves, np.int32), index, CATEGORIES)
    for code, path in enumerate(CATEGORIES.names, start=1):
        inside = {leaf for leaf, name in enumerate(CATEGORIES.names, start=1) if name == path or name.startswith(path + " > ")}
        assert table.of(code).tolist() == [item for item, leaf in zip(index.tolist(), leaves, strict=True) if leaf in inside]
