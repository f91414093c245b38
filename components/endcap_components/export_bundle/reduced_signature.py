"""A signature of a SavedModel, its weights stored in a smaller type."""

from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from endcap.core.errors import InvalidInput
from endcap_components.export_bundle.precision import Precision
from endcap_components.export_bundle.reduced_graph import reduced

GRAPH_BYTES_MAX = 2_000_000_000
"""A graph with its weights inside is one protocol buffer, and those end at 2 GiB."""


class ReducedSignature(tf.Module):
    """Same inputs, same outputs, smaller weights."""

    def __init__(self, signature: Any, precision: Precision) -> None:
        """
        Args:
            signature: of a loaded SavedModel.
            precision: not float32.

        Raises:
            InvalidInput: the weights are too large for one graph, or one of them for the type.
        """
        super().__init__()
        weights_bytes = sum(each.shape.num_elements() * each.dtype.size for each in signature.variables)
        if weights_bytes > GRAPH_BYTES_MAX:
            raise InvalidInput("the weights are too large to be rewritten", field="precision", value=precision.value, fix="use float32")
        frozen = convert_variables_to_constants_v2(signature)
        made = reduced(frozen.graph.as_graph_def(), [each.op.name for each in frozen.outputs], precision)
        self.tables = [tf.Variable(each.values, trainable=False) for each in made.tables.values()]
        self._places = [f"{name}:0" for name in made.tables]
        self._graph = made.graph
        # Both sides list a signature's inputs and outputs by rising name.
        self._inputs = dict(zip(sorted(signature.structured_input_signature[1]), (each.name for each in frozen.inputs), strict=True))
        self._outputs = dict(zip(sorted(signature.structured_outputs), (each.name for each in frozen.outputs), strict=True))

    def __call__(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """To be traced: the signature's graph inside the caller's."""
        fed = {self._inputs[name]: value for name, value in inputs.items()}
        fed |= {place: tf.convert_to_tensor(table) for place, table in zip(self._places, self.tables, strict=True)}
        outputs = tf.graph_util.import_graph_def(self._graph, input_map=fed, return_elements=list(self._outputs.values()), name="reduced")
        return dict(zip(self._outputs, outputs, strict=True))
