"""One SavedModel out of two, so that query tower and ranker are never of different runs, and the requests it is warmed up with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from endcap.contracts.evaluation import RANKER, Ordering
from endcap.contracts.signatures import ENCODE_QUERY, RANK
from endcap.core.errors import BundleInvalid
from endcap.core.log import get_logger
from endcap_components.evaluate.simple_orders import calibration_of, method_signature
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.joined_signatures import joined_encode, joined_rank
from endcap_components.export_bundle.precision import Precision
from endcap_components.export_bundle.reduced_graph import ReducedSignature

BY_RANKER = Ordering(reason="ordered by the ranker")


@dataclass(frozen=True)
class ServedSignature:
    """One signature, and the object whose variables it computes with; None where it has none."""

    call: Any
    weights: Any = None

    @classmethod
    def of(cls, model: Any, name: str, precision: Precision) -> "ServedSignature":
        """A loaded SavedModel's signature, in the precision asked for."""
        if precision is Precision.FLOAT32:
            return cls(model.signatures[name], model)
        reduced = ReducedSignature(model.signatures[name], precision)
        return cls(reduced, reduced)


class ServedModel(tf.Module):
    """The two trained models behind the signatures of `endcap.contracts.signatures`."""

    def __init__(self, encode: ServedSignature, rank: ServedSignature, collection: str, batching: Batching | None) -> None:
        super().__init__(name="endcap")
        self.two_tower = encode.weights
        self.ranker = rank.weights
        self.collection = tf.constant([collection])
        self._encode = joined_encode(encode.call, batching) if batching else encode.call
        self._rank = joined_rank(rank.call, batching) if batching else rank.call

    def encode_query(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": self._encode(**inputs)["embedding"], "collection": self.collection}

    def rank(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        outputs: dict[str, tf.Tensor] = self._rank(**inputs)
        return outputs


def export_saved_model(
    two_tower_dir: Path,
    ranker_dir: Path,
    collection: str,
    folder: Path,
    batching: Batching | None = None,
    *,
    precision: Precision = Precision.FLOAT32,
    ordering: Ordering = BY_RANKER,
) -> tuple[str, ...]:
    """Write the SavedModel of a bundle.

    Args:
        two_tower_dir, ranker_dir: SavedModels of the training steps.
        collection: the Milvus collection that `encode_query` names.
        folder: the bundle that is being made.
        batching: how requests are joined; None for each on its own.
        precision: of the stored weights.
        ordering: what `rank` answers with; where a simple method orders, its probabilities stand under the ranker's names and the ranker's
            weights are left out.

    Returns:
        The inputs of `encode_query`.

    Raises:
        BundleInvalid: a model lacks its signature.
        InvalidInput: the weights do not fit the precision.
    """
    two_tower, ranker = (tf.saved_model.load(str(each)) for each in (two_tower_dir, ranker_dir))
    for model, name, path in ((two_tower, ENCODE_QUERY, two_tower_dir), (ranker, RANK, ranker_dir)):
        if name not in model.signatures:
            raise BundleInvalid("the SavedModel lacks a signature", field=str(path), value=name, fix="run the training step again")
    encode = ServedSignature.of(two_tower, ENCODE_QUERY, precision)
    if ordering.ordered_by == RANKER:
        rank = ServedSignature.of(ranker, RANK, precision)
    else:
        objectives = sorted(ranker.signatures[RANK].structured_outputs)
        rank = ServedSignature(method_signature(ordering.ordered_by, {name: calibration_of(ordering, name) for name in objectives}))
    served = ServedModel(encode, rank, collection, batching)
    signatures = {
        ENCODE_QUERY: _concrete(served.encode_query, two_tower.signatures[ENCODE_QUERY]),
        RANK: _concrete(served.rank, ranker.signatures[RANK]),
    }
    tf.saved_model.save(served, str(folder), signatures=signatures)
    return tuple(sorted(signatures[ENCODE_QUERY].structured_input_signature[1]))


def _concrete(method: Any, like: Any) -> Any:
    """The method as a signature with the inputs of another one."""
    inputs = {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in like.structured_input_signature[1].items()}
    return tf.function(method).get_concrete_function(**inputs)


WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
CANDIDATES = 1000


def write_warm_up(folder: Path, model_name: str) -> None:
    """Write one zero-filled request a signature; left out where the packages of TensorFlow Serving's API are not installed.

    Args:
        folder: a bundle with its SavedModel.
        model_name: under which TensorFlow Serving serves it.
    """
    try:
        from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "tensorflow_serving":
            raise
        get_logger("export_bundle").info("no warm-up requests: the packages of TensorFlow Serving's API are not installed")
        return
    # Read, not loaded: a load traces every function and reads all weights.
    described = SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs[0].signature_def
    path = folder / WARM_UP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in (ENCODE_QUERY, RANK):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = name
            for key, info in described[name].inputs.items():
                spec = tf.TensorSpec(info.tensor_shape, tf.as_dtype(info.dtype))
                request.inputs[key].CopyFrom(tf.make_tensor_proto(zeros_of(key, spec, name)))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def zeros_of(key: str, spec: tf.TensorSpec, signature: str) -> np.ndarray:
    """One query's input, or for `rank` CANDIDATES rows where it has one a candidate, all zeros."""
    per_candidate = signature == RANK and key in ("query_row", "item_index", "item_numeric", "pair_numeric")
    rows = CANDIDATES if per_candidate else 1
    return np.zeros([rows if size is None else size for size in spec.shape], dtype=spec.dtype.as_numpy_dtype)
