import copy
import random
import string

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.text_column import TextColumn
from endcap.catalogue.vocabulary import NameIndex, Vocabulary

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@given(st.lists(st.one_of(st.none(), TEXTS), max_size=20))
def test_codes_and_names_are_inverse(values: list[str | None]) -> None:
    vocabulary = Vocabulary.of(values)
    codes = vocabulary.codes(values)
    assert [vocabulary.name(int(code)) for code in codes] == [value or "" for value in values]
    assert [vocabulary.code(value) for value in values] == codes.tolist()
    assert len(vocabulary) == len({value for value in values if value}) + 1


def test_many_names_are_all_found_also_where_buckets_are_full() -> None:
    draw = random.Random(5)
    names = sorted({"".join(draw.choices(string.ascii_letters, k=9)) for _ in range(30_000)})
    vocabulary = Vocabulary(pl.Series(names))
    everything = np.arange(1, len(names) + 1)
    np.testing.assert_array_equal(vocabulary.codes(names), everything)
    np.testing.assert_array_equal(vocabulary.codes(pl.Series(names)), everything)
    assert [vocabulary.name(int(code)) for code in everything[::7]] == names[::7]
    assert not vocabulary.codes([name + "!" for name in names]).any()
    assert NameIndex(names)._overflow, "no bucket is full: make it more names"


def test_nothing_is_known_of_nothing() -> None:
    empty = Vocabulary(())
    assert len(empty) == 1
    assert empty.codes(["a", None, ""]).tolist() == [0, 0, 0]
    assert empty.codes([]).tolist() == []
    assert empty.code("a") == 0
    assert empty.name(0) == ""


def test_a_vocabulary_goes_to_another_process_by_its_names() -> None:
    vocabulary = Vocabulary.of(["b", "a"])
    again = copy.deepcopy(vocabulary)
    assert again == vocabulary
    assert again.code("b") == 2


@given(st.lists(TEXTS, max_size=12), st.integers(-3, 14), st.integers(-3, 14))
def test_texts_read_as_a_list_does(texts: list[str], start: int, stop: int) -> None:
    column = TextColumn.of(texts)
    assert list(column) == texts
    assert column[start:stop] == texts[start:stop]
    assert [column[place] for place in range(-len(texts), len(texts))] == [*texts, *texts]
    assert TextColumn.of(pl.Series([*texts, None], dtype=pl.String))[:] == [*texts, ""]
