"""Arrays as TensorProto messages and back, by their bytes: no value is visited one by one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import InvalidInput

DT_STRING = 7

_DTYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype(np.float32),
    2: np.dtype(np.float64),
    3: np.dtype(np.int32),
    4: np.dtype(np.uint8),
    6: np.dtype(np.int8),
    9: np.dtype(np.int64),
    10: np.dtype(np.bool_),
}
"""Numbers of tensorflow.DataType to little-endian numpy types."""

_NUMBERS = {dtype: number for number, dtype in _DTYPES.items()}

_VALUE_FIELDS = {1: "float_val", 2: "double_val", 3: "int_val", 4: "int_val", 6: "int_val", 9: "int64_val", 10: "bool_val"}

_NAMES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 6: "int8", DT_STRING: "string", 9: "int64", 10: "bool"}


def dtype_name(number: int) -> str:
    """The name of a tensorflow.DataType number, as people know it."""
    return _NAMES.get(number, f"DataType {number}")


def fill_tensor(proto: Any, array: NDArray[Any]) -> None:
    """Write an array into an empty TensorProto: numbers as `tensor_content`, bytes objects as `string_val`."""
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    if array.dtype == object or array.dtype.kind == "S":
        proto.dtype = DT_STRING
        proto.string_val.extend(array.ravel().tolist())
        return
    proto.dtype = _NUMBERS[array.dtype]
    proto.tensor_content = np.ascontiguousarray(array).tobytes()


def read_tensor(proto: Any, name: str) -> NDArray[Any]:
    """The array of a TensorProto; strings become an object array of bytes.

    Args:
        proto: tensorflow.TensorProto, its values as `tensor_content` or in the field of its type.
        name: how messages call the tensor.

    Raises:
        InvalidInput: the type is not one that is served, or the number of values does not fit the shape.
    """
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if any(size < 0 for size in shape):
        raise InvalidInput("the shape has a negative size", field=name, value=list(shape))
    if proto.dtype == DT_STRING:
        values: NDArray[Any] = np.array(list(proto.string_val), dtype=object)
    elif proto.dtype not in _DTYPES:
        raise InvalidInput("the type is not served", field=name, value=dtype_name(proto.dtype))
    elif proto.tensor_content:
        values = _of_content(proto, name)
    else:
        values = np.array(list(getattr(proto, _VALUE_FIELDS[proto.dtype])), dtype=_DTYPES[proto.dtype])
    return _shaped(values, shape, name)


def _of_content(proto: Any, name: str) -> NDArray[Any]:
    dtype = _DTYPES[proto.dtype]
    if len(proto.tensor_content) % dtype.itemsize:
        raise InvalidInput(f"tensor_content is no whole number of {dtype} values", field=name, value=f"{len(proto.tensor_content)} bytes")
    return np.frombuffer(proto.tensor_content, dtype=dtype)


def _shaped(values: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    wanted = int(np.prod(shape, dtype=np.int64))
    if len(values) == 1 and wanted > 1:  # TensorFlow's short form: one value stands for all
        return np.full(shape, values[0], dtype=values.dtype) if wanted <= 1_000_000 else _refuse(len(values), shape, name)
    if len(values) != wanted:
        return _refuse(len(values), shape, name)
    return values.reshape(shape)


def _refuse(count: int, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    raise InvalidInput(f"the tensor has {count} values, its shape {list(shape)} needs {int(np.prod(shape, dtype=np.int64))}", field=name)
