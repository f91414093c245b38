from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.training.retrieval_examples import EXAMPLE_SCHEMA, RetrievalExamples
from tests.endcap.training.made_examples import made_examples


def assert_same(one: RetrievalExamples, other: RetrievalExamples) -> None:
    for field in fields(RetrievalExamples):
        values, others = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(values, others, err_msg=field.name)
        assert values.dtype == others.dtype, field.name


@given(size=st.integers(0, 8), seed=st.integers(0, 1000))
def test_table_reads_back_the_same(size: int, seed: int) -> None:
    examples = made_examples(range(size), seed)
    table = examples.table()
    assert table.schema == EXAMPLE_SCHEMA
    assert_same(RetrievalExamples.of_table(table), examples)


@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_parts_taken_out_of_the_whole_are_the_parts(sizes: list[int], seed: int) -> None:
    parts = [made_examples(range(size), seed + place) for place, size in enumerate(sizes)]
    whole = RetrievalExamples.concatenated(parts)
    ends = np.cumsum([0, *sizes])
    for part, start, end in zip(parts, ends[:-1], ends[1:], strict=True):
        assert_same(whole.take(np.arange(start, end)), part)


def test_examples_taken_bring_their_own_lists() -> None:
    examples = made_examples(range(12), seed=3)
    rows = np.array([5, 0, 11, 5])
    taken = examples.take(rows)
    for place, row in enumerate(rows):
        for start, row_of, name in (
            (examples.target_start, taken.target_row, "target_index"),
            (examples.bought_start, taken.bought_row, "bought_index"),
        ):
            np.testing.assert_array_equal(getattr(taken, name)[row_of == place], getattr(examples, name)[start[row] : start[row + 1]])


def test_blank_example_asks_for_nothing() -> None:
    blank = RetrievalExamples.blank()
    assert len(blank) == 1
    assert_same(RetrievalExamples.of_table(blank.table()), blank)
    assert not len(blank.target_row)
