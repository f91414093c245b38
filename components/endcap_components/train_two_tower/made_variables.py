"""Variables made before a fit begins: Keras traces a training step twice if they are made in it."""

from collections.abc import Mapping

import tensorflow as tf


def make_optimizer_variables(model: tf.keras.Model) -> None:
    """Make the variables of the optimiser of a compiled model, whose own are there.

    Args:
        model: with one of Keras's earlier optimisers, for which this is the way; the newer ones have `build`.
    """
    model.optimizer._create_all_weights(model.trainable_variables)


def blank_batch(signature: Mapping[str, tf.TensorSpec]) -> dict[str, tf.Tensor]:
    """Zeros of a batch's types, with 1 for each length that the signature leaves open."""
    return {name: tf.zeros([size or 1 for size in spec.shape], spec.dtype) for name, spec in signature.items()}
