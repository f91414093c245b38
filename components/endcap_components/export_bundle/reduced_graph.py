"""A signature's graph with its weights in a smaller type.

Weights are either looked up by row (item identities, embeddings) or multiplied with (kernels). Tables stay in the smaller type in memory:
the rows that a request asks for are widened after the look-up. Kernels are small; they are widened where they stand, which TensorFlow does
once, when it folds constants, so that a request pays nothing for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from endcap.core.errors import InvalidInput
from endcap_components.export_bundle.precision import Precision, StoredWeights

ELEMENTS_MIN = 256
"""Smaller weights stay float32: they save nothing."""

FLOAT = tf.float32.as_datatype_enum


@dataclass(frozen=True)
class ReducedGraph:
    """What `reduced` makes.

    Attributes:
        graph: the graph, with a placeholder for every table.
        tables: by the name of its placeholder.
    """

    graph: Any
    tables: Mapping[str, StoredWeights]


def reduced(graph: Any, outputs: Iterable[str], precision: Precision) -> ReducedGraph:
    """Store the weights of a frozen graph in another type.

    Args:
        graph: a GraphDef without variables.
        outputs: names of the nodes that are asked for.
        precision: not float32.
    """
    made = tf.compat.v1.GraphDef()
    made.CopyFrom(graph)
    kept = [node.name for node in made.node if node.op == "Placeholder"] + list(outputs)
    nodes = {node.name: node for node in made.node}
    tables: dict[str, StoredWeights] = {}
    for const in [node for node in made.node if _is_weight(node)]:
        weights = tf.make_ndarray(const.attr["value"].tensor)
        uses = list(_uses(made, const.name))
        if all(_is_row_look_up(node, place, nodes) for node, place in uses):
            tables |= _look_up_then_widen(made, const, [node for node, _ in uses], precision.store(weights, scale_axis=-1))
        else:
            _widen_in_place(made, const, precision.store(weights, scale_axis=0))
    return ReducedGraph(_subgraph(made, [*kept, *tables]), tables)


def _subgraph(graph: Any, names: Iterable[str]) -> Any:
    """The nodes of these names and all that they depend on: without the float32 tables, which nothing asks for any more."""
    nodes = {node.name: node for node in graph.node}
    wanted, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += [source.split(":")[0].removeprefix("^") for source in nodes[name].input]
    made = tf.compat.v1.GraphDef(versions=graph.versions, library=graph.library)
    made.node.extend(node for node in graph.node if node.name in wanted)
    return made


def _is_weight(node: Any) -> bool:
    if node.op != "Const" or node.attr["dtype"].type != FLOAT:
        return False
    sizes = [dim.size for dim in node.attr["value"].tensor.tensor_shape.dim]
    return len(sizes) >= 2 and int(np.prod(sizes)) >= ELEMENTS_MIN


def _uses(graph: Any, name: str) -> Iterator[tuple[Any, int]]:
    """Nodes that take a value, with the input's place; identities are looked through."""
    for node in graph.node:
        for place, source in enumerate(node.input):
            if source.split(":")[0] == name:
                if node.op == "Identity":
                    yield from _uses(graph, node.name)
                else:
                    yield node, place


def _is_row_look_up(node: Any, place: int, nodes: Mapping[str, Any]) -> bool:
    if node.op != "GatherV2" or place != 0 or node.attr["batch_dims"].i:
        return False
    axis = nodes[node.input[2].split(":")[0]]
    while axis.op == "Identity":
        axis = nodes[axis.input[0].split(":")[0]]
    return axis.op == "Const" and int(tf.make_ndarray(axis.attr["value"].tensor)) == 0


def _look_up_then_widen(graph: Any, const: Any, look_ups: list[Any], stored: StoredWeights) -> dict[str, StoredWeights]:
    """The table becomes a placeholder, each look-up of it one in the smaller type whose rows are widened under the look-up's own name."""
    name = const.name
    table = _placeholder(graph, f"{name}/stored", stored.values)
    made = {table: stored}
    scale = None if stored.scale is None else _placeholder(graph, f"{name}/scale", stored.scale)
    if stored.scale is not None and scale is not None:
        made[scale] = StoredWeights(stored.scale, None)
    for look_up in look_ups:
        rows = graph.node.add()
        rows.CopyFrom(look_up)
        rows.name = f"{look_up.name}/stored"
        rows.input[0] = table
        rows.attr["Tparams"].type = tf.as_dtype(stored.values.dtype).as_datatype_enum
        if scale is None:
            _become_cast(look_up, rows.name, stored.values.dtype)
            continue
        factors = graph.node.add()
        factors.CopyFrom(look_up)
        factors.name = f"{look_up.name}/scale"
        factors.input[0] = scale
        wide = graph.node.add()
        wide.name = f"{look_up.name}/wide"
        _become_cast(wide, rows.name, stored.values.dtype)
        _become_product(look_up, wide.name, factors.name)
    return made


def _widen_in_place(graph: Any, const: Any, stored: StoredWeights) -> None:
    """The constant in the smaller type, and under its old name what the graph computes with."""
    values = _constant(graph, f"{const.name}/stored", stored.values)
    if stored.scale is None:
        _become_cast(const, values, stored.values.dtype)
        return
    wide = graph.node.add()
    wide.name = f"{const.name}/wide"
    _become_cast(wide, values, stored.values.dtype)
    _become_product(const, wide.name, _constant(graph, f"{const.name}/scale", stored.scale))


def _placeholder(graph: Any, name: str, values: NDArray[Any]) -> str:
    node = graph.node.add()
    node.name, node.op = name, "Placeholder"
    node.attr["dtype"].type = tf.as_dtype(values.dtype).as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(values.shape).as_proto())
    return name


def _constant(graph: Any, name: str, values: NDArray[Any]) -> str:
    node = graph.node.add()
    node.name, node.op = name, "Const"
    node.attr["dtype"].type = tf.as_dtype(values.dtype).as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    return name


def _become_cast(node: Any, source: str, dtype: Any) -> None:
    _become(node, "Cast", source)
    node.attr["SrcT"].type = tf.as_dtype(dtype).as_datatype_enum
    node.attr["DstT"].type = FLOAT


def _become_product(node: Any, left: str, right: str) -> None:
    _become(node, "Mul", left, right)
    node.attr["T"].type = FLOAT


def _become(node: Any, op: str, *inputs: str) -> None:
    name = node.name
    node.Clear()
    node.name, node.op = name, op
    node.input.extend(inputs)


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
