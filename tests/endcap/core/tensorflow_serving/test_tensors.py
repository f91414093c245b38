"""Arrays survive the way through TensorFlow's messages; messages that lie about themselves are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from endcap.core.errors import InvalidInput
from endcap.core.tensorflow_serving.messages import serving_messages
from endcap.core.tensorflow_serving.tensors import fill_tensor, read_tensor

TENSOR = serving_messages().tensor
DTYPES = st.sampled_from([np.float32, np.float64, np.int32, np.int64, np.uint8, np.int8, np.bool_])


@given(array=DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))))
def test_numbers_come_back_as_they_went(array) -> None:
    proto = TENSOR()
    fill_tensor(proto, array)
    back = read_tensor(TENSOR.FromString(proto.SerializeToString()), "x")
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_text_comes_back_as_bytes() -> None:
    proto = TENSOR()
    fill_tensor(proto, np.array([b"a", b"", b"\xff"], dtype=object))
    assert read_tensor(proto, "x").tolist() == [b"a", b"", b"\xff"]


@given(content=st.binary(max_size=40), dtype=st.integers(-1, 30), shape=st.lists(st.integers(-2, 5), max_size=3))
def test_hostile_messages_are_read_or_refused(content, dtype, shape) -> None:
    proto = TENSOR(tensor_content=content)
    proto.dtype = max(dtype, 0)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    try:
        read_tensor(proto, "x")
    except InvalidInput as error:
        assert str(error).startswith("x: ")


def test_a_huge_shape_with_one_value_is_refused() -> None:
    proto = TENSOR(dtype=1, float_val=[1.0])
    proto.tensor_shape.dim.add(size=2**40)
    with pytest.raises(InvalidInput, match="has 1 values"):
        read_tensor(proto, "x")
