"""One SavedModel out of two: what TensorFlow Serving loads as a whole, so that query tower and ranker are never of different runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from endcap.contracts.signatures import ENCODE_QUERY, RANK
from endcap.core.errors import BundleInvalid
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.precision import Precision
from endcap_components.export_bundle.reduced_signature import ReducedSignature


@dataclass(frozen=True)
class ServedSignature:
    """One signature, and the object whose variables it computes with."""

    call: Any
    weights: Any

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
        self._encode = batching.encode(encode.call) if batching else encode.call
        self._rank = batching.rank(rank.call) if batching else rank.call

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
) -> None:
    """Write the SavedModel of a bundle.

    Args:
        two_tower_dir, ranker_dir: SavedModels of the training steps.
        collection: the Milvus collection that `encode_query` names.
        folder: the bundle that is being made.
        batching: how requests are joined; None for each on its own.
        precision: of the stored weights.

    Raises:
        BundleInvalid: a model lacks its signature.
        InvalidInput: the weights do not fit the precision.
    """
    two_tower, ranker = (tf.saved_model.load(str(each)) for each in (two_tower_dir, ranker_dir))
    for model, name, path in ((two_tower, ENCODE_QUERY, two_tower_dir), (ranker, RANK, ranker_dir)):
        if name not in model.signatures:
            raise BundleInvalid("the SavedModel lacks a signature", field=str(path), value=name, fix="run the training step again")
    encode, rank = ServedSignature.of(two_tower, ENCODE_QUERY, precision), ServedSignature.of(ranker, RANK, precision)
    served = ServedModel(encode, rank, collection, batching)
    signatures = {
        ENCODE_QUERY: _concrete(served.encode_query, two_tower.signatures[ENCODE_QUERY]),
        RANK: _concrete(served.rank, ranker.signatures[RANK]),
    }
    tf.saved_model.save(served, str(folder), signatures=signatures)


def _concrete(method: Any, like: Any) -> Any:
    """The method as a signature with the inputs of another one."""
    inputs = {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in like.structured_input_signature[1].items()}
    return tf.function(method).get_concrete_function(**inputs)
