"""TensorFlow as training needs it: Keras 2 for TensorFlow Recommenders, fixed seeds, repeatable kernels."""

import os


def prepare_tensorflow(seed: int, threads: int | None = None) -> None:
    """Call before anything imports tensorflow in a training process.

    TensorFlow Recommenders builds on Keras 2, which tf-keras provides when TF_USE_LEGACY_KERAS is set.

    Args:
        seed: of Python, numpy and TensorFlow.
        threads: threads an operation may use; None for all cores.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    if threads is not None:
        _set_threads(threads)


def _set_threads(threads: int) -> None:
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
