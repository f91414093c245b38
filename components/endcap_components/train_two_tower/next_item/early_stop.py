"""Training ends when the averaged weights (Izmailov et al., UAI 2018) stop getting better on people held out; the best are kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from endcap.core.log import get_logger
from endcap.training.held_out import HeldOut
from endcap_components.train_two_tower.fitted_tower import FittedTower


class WeightAverage(tf.keras.callbacks.Callback):
    """Keeps `average <- kept x average + (1 - kept) x weights` after every step, with less kept in the first steps."""

    def __init__(self, kept: float) -> None:
        super().__init__()
        self._kept = kept
        self._steps = tf.Variable(0.0, trainable=False)
        self._average: list[tf.Variable] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - as Keras calls it
        if not self._average:
            # Weights come into being with the first batch.
            self._average = [tf.Variable(weight, trainable=False) for weight in self.model.trainable_variables]
            self._update = tf.function(self._updated)
        self._update()

    def _updated(self) -> None:
        self._steps.assign_add(1.0)
        kept = tf.minimum(self._kept, self._steps / (9.0 + self._steps))
        for average, weight in zip(self._average, self.model.trainable_variables, strict=True):
            average.assign_sub((1.0 - kept) * (average - weight))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with the average for weights, until the block ends."""
        own = [weight.numpy() for weight in self.model.trainable_variables]
        try:
            for average, weight in zip(self._average, self.model.trainable_variables, strict=True):
                weight.assign(average)
            yield
        finally:
            for value, weight in zip(own, self.model.trainable_variables, strict=True):
                weight.assign(value)


TOP = 10


class EarlyStop(tf.keras.callbacks.Callback):
    """Measures NDCG@10 after every epoch and leaves the model with the weights of the best."""

    def __init__(self, average: WeightAverage, held_out: HeldOut, patience: int) -> None:
        super().__init__()
        self._average, self._held_out, self._patience = average, held_out, patience
        self._best: list[Any] = []
        self.metrics = {"epochs": 0.0, "held_out_ndcg": -1.0, "held_out_hr": 0.0}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        with self._average.in_place():
            rank = self._ranks()
            found = rank < TOP
            weight = self._held_out.weight
            ndcg = float(np.average(found / np.log2(rank + 2.0), weights=weight)) if len(rank) else float(epoch)
            get_logger("train_two_tower").info("epoch ended", epoch=epoch + 1, held_out_ndcg=round(ndcg, 5), loss=(logs or {}).get("loss"))
            if ndcg > self.metrics["held_out_ndcg"]:
                hit_rate = float(np.average(found, weights=weight)) if len(rank) else 0.0
                self.metrics = {"epochs": epoch + 1.0, "held_out_ndcg": ndcg, "held_out_hr": hit_rate}
                self._best = [weight.numpy() for weight in self.model.trainable_variables]
        if epoch + 1 - self.metrics["epochs"] >= self._patience:
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002 - as Keras calls it
        for value, weight in zip(self._best, self.model.trainable_variables, strict=True):
            weight.assign(value)

    def _ranks(self) -> Any:
        if not self._held_out.histories.users:
            return np.zeros(0, dtype=np.int64)
        tower = FittedTower.of(self.model, self._held_out.histories.of_users(np.arange(0)))
        return self._held_out.ranks(tower.queries(self._held_out.histories), tower.item_embeddings)
