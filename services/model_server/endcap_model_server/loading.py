"""One SavedModel version in memory, with the inputs and outputs of its signatures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import BundleInvalid, InvalidInput
from endcap_model_server.short_call import short_call

Call = Callable[[Mapping[str, Any]], Mapping[str, Any]]

WARM_UP_ROWS = (1, 2, 64, 1000)
"""Sizes of the first, free dimension that a signature is run with before it serves."""


@dataclass(frozen=True)
class TensorSpec:
    """What a signature takes under one name: TensorFlow's DataType number and a shape where None is free."""

    dtype_number: int
    dtype: Any
    shape: tuple[int | None, ...]

    def accepts(self, shape: Sequence[int]) -> bool:
        return len(shape) == len(self.shape) and all(want is None or want == got for want, got in zip(self.shape, shape, strict=True))


@dataclass(frozen=True)
class Signature:
    """A callable signature of a loaded version.

    Attributes:
        call: from tensors by name to tensors by name: the function itself, or a shorter way to it.
    """

    inputs: Mapping[str, TensorSpec]
    outputs: Sequence[str]
    function: Any
    call: Call

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute the outputs; arrays have passed `Signature.inputs`.

        Raises:
            InvalidInput: the graph itself refuses the values, for example rows that do not fit together.
        """
        import tensorflow as tf

        try:
            tensors = {name: tf.constant(array, dtype=self.inputs[name].dtype) for name, array in arrays.items()}
            return {name: tensor.numpy() for name, tensor in self.call(tensors).items()}
        except tf.errors.InvalidArgumentError as error:
            raise InvalidInput(str(error.message).splitlines()[0]) from error


@dataclass(frozen=True)
class LoadedVersion:
    """A version that can answer."""

    version: int
    path: Path
    signatures: Mapping[str, Signature]
    definitions: Any
    """tensorflow.serving.SignatureDefMap, for GetModelMetadata."""
    model: Any
    """Keeps the variables alive."""


def load_version(path: Path) -> LoadedVersion:
    """Load a SavedModel folder named by its version and run every signature, so that no request pays for a first call.

    Raises:
        BundleInvalid: TensorFlow cannot read the folder.
    """
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(path))
        definitions = _signature_definitions(path)
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise BundleInvalid(f"TensorFlow cannot load the model: {error}", field=str(path), fix="export the bundle again") from error
    signatures = {name: _signature(function) for name, function in model.signatures.items() if not name.startswith("__")}
    loaded = LoadedVersion(int(path.name), path, signatures, definitions, model)
    for signature in signatures.values():
        _warm_up(signature)
    return loaded


def _signature(function: Any) -> Signature:
    specs = function.structured_input_signature[1]
    inputs = {
        name: TensorSpec(spec.dtype.as_datatype_enum, spec.dtype, tuple(spec.shape.as_list())) for name, spec in sorted(specs.items())
    }
    return Signature(
        inputs=inputs,
        outputs=tuple(sorted(function.structured_outputs)),
        function=function,
        call=short_call(function, _zeros(inputs, 2)),
    )


def _warm_up(signature: Signature) -> None:
    for rows in WARM_UP_ROWS:
        signature.run(_zeros(signature.inputs, rows))


def _zeros(inputs: Mapping[str, TensorSpec], rows: int) -> dict[str, NDArray[Any]]:
    return {
        name: np.zeros([rows if size is None else size for size in spec.shape], dtype=spec.dtype.as_numpy_dtype)
        for name, spec in inputs.items()
    }


def _signature_definitions(path: Path) -> Any:
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2

    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    definitions = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in saved.meta_graphs[0].signature_def.items():
        definitions.signature_def[name].CopyFrom(definition)
    return definitions
