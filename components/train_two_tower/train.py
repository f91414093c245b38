"""Fitting the two-tower."""

from collections.abc import Iterator

import numpy as np
import polars as pl
import tensorflow as tf
from numpy.typing import NDArray

from components.train_two_tower.batches import BatchSource
from components.train_two_tower.content import item_content
from components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from components.train_two_tower.item_tower import ItemTower
from components.train_two_tower.model import TwoTower
from components.train_two_tower.query_tower import QueryTower
from components.train_two_tower.warm_start import co_purchase_factors
from endcap.features.columns import CONTEXT, HISTORY_LENGTH, ITEM_NUMERIC, USER_CATEGORICAL, USER_NUMERIC
from endcap.training.fit_progress import fit_progress
from endcap.training.normalisation import Standardisation
from endcap.training.training_set import TrainingSet

WARM_UP_SHARE = 0.1


def fit_two_tower(training: TrainingSet, parameters: TwoTowerHyperparameters, seed: int) -> tuple[TwoTower, dict[str, float]]:
    """Build and fit a two-tower.

    The softmax runs over the items eligible at the first ranking window; all targets end before it.

    Returns:
        The model, and the loss of the last epoch with the counts it was fitted on.
    """
    trained = np.flatnonzero(training.eligible_at(training.manifest.ranking_windows[0])).astype(np.int32)
    source = batch_source(training, trained, parameters)
    model = build_model(training, trained, source, parameters, seed)
    rng = np.random.default_rng(seed)
    steps = len(source.rows(np.random.default_rng(seed)))
    model.compile(optimizer=tf.keras.optimizers.legacy.Adam(_schedule(parameters, steps), epsilon=1e-7))
    dataset = tf.data.Dataset.from_generator(lambda: source.epoch(rng), output_signature=batch_signature(source)).prefetch(2)
    progress = fit_progress("two-tower", epochs=parameters.epochs, steps=steps)
    history = model.fit(dataset, epochs=parameters.epochs, verbose=0, callbacks=[progress])
    return model, {
        "loss": float(history.history["loss"][-1]),
        "examples": float(len(training.examples)),
        "trained_items": float(len(trained)),
        "sampled_softmax": float(source.sampled),
    }


def batch_source(training: TrainingSet, trained: NDArray[np.int32], parameters: TwoTowerHyperparameters) -> BatchSource:
    """Batches over a training set's examples, full or sampled as the number of trained items asks for."""
    place = np.full(len(training.items), -1, dtype=np.int32)
    place[trained] = np.arange(len(trained))
    snapshots = training.manifest.snapshots
    item_numeric = np.zeros((len(snapshots), len(trained), len(ITEM_NUMERIC)), dtype=np.float32)
    for number, moment in enumerate(snapshots):
        item_numeric[number] = training.items_at(moment).numeric[trained]
    return BatchSource(training.examples, item_numeric, place, parameters, sampled=len(trained) > parameters.full_softmax_items_max)


def build_model(
    training: TrainingSet, trained: NDArray[np.int32], source: BatchSource, parameters: TwoTowerHyperparameters, seed: int
) -> TwoTower:
    """An untrained two-tower with the constants of the training data inside."""
    content = item_content(training.items, parameters.title_buckets, parameters.price_buckets)
    item_numeric = Standardisation.fit(source.item_numeric.reshape(-1, len(ITEM_NUMERIC)))
    start = _start(training, source, len(trained), parameters.dim - 1, seed)
    item_tower = ItemTower(parameters.dim, trained, content, item_numeric, start=start, id_dropout=parameters.id_dropout)
    category_sizes = [len(training.user_vocabularies[name]) for name in USER_CATEGORICAL]
    query_tower = QueryTower(parameters, Standardisation.fit(training.examples.user_numeric), category_sizes)
    return TwoTower(query_tower, item_tower, trained, parameters.temperature)


def _start(training: TrainingSet, source: BatchSource, trained_count: int, dim: int, seed: int) -> NDArray[np.float32]:
    """Factors of everything bought before the first ranking window; what is bought from there on stays unseen.

    Their training loss flatters them, since they have seen the examples' targets; `docs/decisions/0002-models.md` has what that was
    measured against.
    """
    first = training.manifest.ranking_windows[0]
    before = training.purchases.filter(pl.col("occurred_at") < first)
    place = source.place[before["item_index"].to_numpy()]
    user_row = before["user_id"].rank("dense").to_numpy().astype(np.int64) - 1
    return co_purchase_factors(user_row[place >= 0], place[place >= 0], trained_count, dim, np.random.default_rng(seed))


def batch_signature(source: BatchSource) -> dict[str, tf.TensorSpec]:
    """Shapes and types of `BatchSource.epoch`'s batches."""
    integers, floats = tf.int32, tf.float32
    signature = {
        "history": tf.TensorSpec([None, HISTORY_LENGTH], integers),
        "history_age_days": tf.TensorSpec([None, HISTORY_LENGTH], floats),
        "user_numeric": tf.TensorSpec([None, len(USER_NUMERIC)], floats),
        "user_categories": tf.TensorSpec([None, len(USER_CATEGORICAL)], integers),
        "context": tf.TensorSpec([None, len(CONTEXT)], integers),
        "row": tf.TensorSpec([None], integers),
        "target": tf.TensorSpec([None], integers),
        "weight": tf.TensorSpec([None], floats),
        "left_out_row": tf.TensorSpec([None], integers),
        "left_out": tf.TensorSpec([None], integers),
    }
    if not source.sampled:
        return signature | {"item_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], floats)}
    return signature | {
        "sampled": tf.TensorSpec([None], integers),
        "sampled_log_q": tf.TensorSpec([None], floats),
        "sampled_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], floats),
        "target_log_q": tf.TensorSpec([None], floats),
        "target_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], floats),
    }


def embeddings_at(model: TwoTower, item_numeric: NDArray[np.float32], block: int = 16_384) -> NDArray[np.float32]:
    """Embeddings of every item of the catalogue as of one moment: float32 [n + 1, dim], row 0 zeros.

    Args:
        model: a fitted two-tower.
        item_numeric: float32 [n + 1, len(ITEM_NUMERIC)], raw.
        block: items embedded at once.
    """
    embeddings = np.concatenate(list(_blocks(model, item_numeric, block)))
    embeddings[0] = 0
    return embeddings


def _blocks(model: TwoTower, item_numeric: NDArray[np.float32], block: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(item_numeric), block):
        index = tf.range(start, min(start + block, len(item_numeric)))
        identity = model.item_tower.identity(index, training=False)
        yield model.item_tower.at_moment(identity, item_numeric[start : start + block]).numpy()


def _schedule(parameters: TwoTowerHyperparameters, steps: int) -> tf.keras.optimizers.schedules.LearningRateSchedule:
    total = steps * parameters.epochs
    warm_up = max(1, int(total * WARM_UP_SHARE))
    return tf.keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, total - warm_up), warmup_target=parameters.learning_rate, warmup_steps=warm_up
    )
