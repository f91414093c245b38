"""What is packed is unpacked as it was; what is damaged, or of another version, is never taken for a row."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.features.columns import PAIRS_MAX
from endcap.features.packed_layout import PackedLayout, PackedRowUnreadable
from endcap.features.store.packed_views import PACKED_VIEWS, USER_ITEM_PACKED
from tests.properties import examples

NUMBERS = st.floats(width=32)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.sampled_from(["", "\0", "\0\0", "é\0", "語" * 40]))


def rows_of(layout: PackedLayout) -> st.SearchStrategy[dict[str, Any]]:
    """Rows of a layout: each column may be missing, None, or hold anything of its type."""

    def group(names: tuple[str, ...], values: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
        return dict.fromkeys(names, st.none() | values)

    columns = group(layout.numbers, NUMBERS) | group(layout.integers, INTEGERS) | group(layout.texts, TEXTS)
    for names, values in ((layout.number_lists, NUMBERS), (layout.integer_lists, INTEGERS), (layout.text_lists, TEXTS)):
        columns |= group(names, st.lists(values, max_size=5))
    return st.fixed_dictionaries({}, optional=columns)


def assert_same(found: Any, given_value: Any) -> None:
    if isinstance(found, np.ndarray):
        np.testing.assert_array_equal(found, np.asarray(given_value, dtype=found.dtype))
    elif isinstance(found, float):
        np.testing.assert_array_equal(found, given_value)
    else:
        assert found == given_value


@given(st.data())
@examples(200)
def test_a_row_is_unpacked_as_it_was_packed(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(PACKED_VIEWS)).layout
    row = data.draw(rows_of(layout))
    unpacked = layout.unpack(layout.pack(row))
    assert tuple(unpacked) == layout.names
    for name, value in unpacked.items():
        assert_same(value, row.get(name))
        assert (value is None) == (row.get(name) is None)
    for names, dtype in ((layout.number_lists, np.float32), (layout.integer_lists, np.int64)):
        assert {unpacked[name].dtype for name in names if unpacked[name] is not None} <= {np.dtype(dtype)}
    assert layout.pack(unpacked) == layout.pack(row)


@given(st.data())
@examples(100)
def test_a_damaged_row_is_refused(data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(PACKED_VIEWS)).layout
    packed = layout.pack(data.draw(rows_of(layout)))
    place, bit = data.draw(st.integers(0, len(packed) - 1)), data.draw(st.integers(0, 7))
    flipped = packed[:place] + bytes([packed[place] ^ (1 << bit)]) + packed[place + 1 :]
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    for damaged in (flipped, cut, packed + b"\0"):
        with pytest.raises(PackedRowUnreadable):
            layout.unpack(damaged)


def test_a_row_of_another_version_or_of_other_columns_is_refused() -> None:
    layout, other = PackedLayout(("a_at",), integer_lists=("a_at",)), PackedLayout(("b_at",), integer_lists=("b_at",))
    packed = layout.pack({"a_at": [1]})
    with pytest.raises(PackedRowUnreadable, match="version"):
        layout.unpack(packed[:2] + b"\x02" + packed[3:])
    with pytest.raises(PackedRowUnreadable, match="other columns"):
        other.unpack(packed)


def test_layouts_of_the_views_are_never_taken_for_each_other() -> None:
    assert len({view.layout.checksum for view in PACKED_VIEWS}) == len(PACKED_VIEWS)


@pytest.mark.parametrize("row", [{"pair_item_ids": [None]}, {"signal_last_viewed_at": [2**63]}, {"pair_times_bought": ["x"]}])
def test_a_value_of_another_type_is_not_packed(row: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        USER_ITEM_PACKED.layout.pack(row)


def test_the_longest_past_is_unpacked_without_a_copy() -> None:
    layout = USER_ITEM_PACKED.layout
    row = {name: np.arange(PAIRS_MAX, dtype=np.float32) for name in layout.number_lists}
    row |= {name: np.arange(PAIRS_MAX) for name in layout.integer_lists}
    row |= {name: [f"item {number}" for number in range(PAIRS_MAX)] for name in layout.text_lists}
    unpacked = layout.unpack(layout.pack(row))
    assert all(len(unpacked[name]) == PAIRS_MAX for name in layout.names)
    assert not any(unpacked[name].flags.owndata for name in (*layout.number_lists, *layout.integer_lists))
