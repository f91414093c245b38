"""Progress of a Keras fit on standard error: a bar over all steps, with the loss."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


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
