"""TensorFlow as training needs it: Keras 2 for TensorFlow Recommenders, fixed seeds, repeatable kernels, and a bar for a fit's progress."""

import os
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


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


def fit_progress(title: str, epochs: int, steps: int) -> Any:
    """A Keras callback that shows where a fit stands.

    Args:
        title: what is fitted.
        epochs: passes over the data.
        steps: batches a pass.
    """
    import tensorflow as tf

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.4f}"),
        console=Console(stderr=True),
    )
    task = bar.add_task(title, total=epochs * steps, loss=float("nan"))

    def epoch_began(epoch: int, _: object) -> None:
        bar.update(task, description=f"{title} {epoch + 1}/{epochs}")

    def batch_ended(_: int, logs: dict[str, Any] | None) -> None:
        bar.update(task, advance=1, loss=(logs or {}).get("loss", float("nan")))

    return tf.keras.callbacks.LambdaCallback(
        on_train_begin=lambda _: bar.start(),
        on_epoch_begin=epoch_began,
        on_train_batch_end=batch_ended,
        on_train_end=lambda _: bar.stop(),
    )
