"""The step train_two_tower: fit, export, and measure on the ranking windows' labels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from endcap.algorithms.interactions import Interactions
from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import PURCHASE_CODE
from endcap.core.errors import DataRejected
from endcap.core.files import folder_beside, put_folder
from endcap.core.log import get_logger
from endcap.core.settings import TrainingSettings
from endcap.features.net_purchases import standing
from endcap.training.acts import joined_touches
from endcap.training.data_profile import DataProfile, Objective
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters


def early_interactions(training: TrainingSet) -> Interactions:
    """What was done before the first ranking window with the items that are eligible there, by user in the order of time.

    Where purchases are all there is they stand without signals, else people and visits do with all their signals.
    """
    parts = [*early_parts(training)]
    if any(_is_typed(part) for part in parts):
        return Interactions.concatenated(parts)
    return _early_purchases(training)


def _early_purchases(training: TrainingSet) -> Interactions:
    first = training.manifest.ranking_windows[0]
    eligible = np.flatnonzero(training.eligible_at(first)).astype(np.int32)
    purchases = training.purchases.filter(pl.col("occurred_at") < first, standing(pl.lit(first)), pl.col("item_index").is_in(eligible))
    purchases = purchases.sort("user_id", "occurred_at", maintain_order=True)
    counts = cast("np.ndarray", purchases.group_by("user_id", maintain_order=True).len()["len"].to_numpy())
    age = (pl.lit(first) - pl.col("occurred_at")).dt.total_seconds() / DAY_S
    return Interactions(
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        item_index=purchases["item_index"].to_numpy().astype(np.int32),
        age_days=purchases.select(age.alias("age"))["age"].to_numpy().astype(np.float32),
        item_count=len(training.items) - 1,
    )


def early_parts(training: TrainingSet) -> Iterator[Interactions]:
    """The same with signals, some users at a time: a shard of sequences lies in memory, whatever the number of events."""
    first = training.manifest.ranking_windows[0]
    eligible = training.eligible_at(first)
    for users in training.sequences.stream():
        early = users.before(first)
        age_days = ((first.timestamp() - early.occurred_at) / DAY_S).astype(np.float32)
        part = Interactions(early.start, early.item_index, age_days, len(training.items) - 1, early.signal)
        yield part.where(eligible[early.item_index])


def _steps(part: Interactions) -> Interactions:
    return joined_touches(part) if _is_typed(part) else part


def _is_typed(part: Interactions) -> bool:
    return part.signal is not None and bool((part.signal != PURCHASE_CODE).any())


MANIFEST_NAME = "two_tower.json"


def fitting(training: TrainingSet, parameters: TwoTowerHyperparameters) -> tuple[Objective | None, TwoTowerHyperparameters]:
    """The objective and the hyperparameters that fit the data, where they are left to it; no objective where nothing can be trained.

    Raises:
        DataRejected: the data has no examples for the objective that is asked for.
    """
    plan = training.manifest.plan
    if plan is None:
        return parameters.objective_for(DataProfile.of_parts(map(_steps, early_parts(training)))), parameters
    if plan.objective is None:
        return None, parameters
    objective = plan.objective if parameters.objective == "auto" else parameters.objective
    enough = len(training.examples) if objective == "window" else sum(len(part) for part in early_parts(training))
    if not enough:
        fix = f"use {plan.objective}, or leave it to auto"
        raise DataRejected("the data has no examples for it", field="two_tower.objective", value=objective, fix=fix)
    if "batch_size" not in parameters.model_fields_set:
        parameters = parameters.model_copy(update={"batch_size": plan.batch_size})
    return objective, parameters


def train_two_tower(
    training_dir: Path,
    out_dir: Path,
    parameters: TwoTowerHyperparameters,
    seed: int,
    settings: TrainingSettings | None = None,
) -> dict[str, float]:
    """Train a two-tower and write its artifact: `saved_model/`, `item_embeddings.npy`, `item_embeddings_at/`, `two_tower.json`.

    Args:
        training_dir: a training set.
        out_dir: the folder to write; replaced when it exists, once all of the new one is there.
        parameters: hyperparameters.
        seed: of everything random.
        settings: devices, workers and checkpoints; one device without checkpoints when left out. Of several workers the first one writes.

    Returns:
        Metrics by name.

    Raises:
        DataRejected: the data has no examples for what is asked for.
    """
    prepare_tensorflow(seed)
    settings = settings or TrainingSettings(distribution="none")
    from endcap_components.train_two_tower.distribution import open_strategy
    from endcap_components.train_two_tower.next_item.sequence_export import write_next_item_artifact
    from endcap_components.train_two_tower.untrained import write_untrained_artifact
    from endcap_components.train_two_tower.window.export import write_window_artifact

    strategy = open_strategy(settings.distribution)
    training = TrainingSet(training_dir)
    objective, parameters = fitting(training, parameters)
    with folder_beside(out_dir) as aside:
        if objective is None:
            metrics = write_untrained_artifact(training, aside)
        elif objective == "next_item":
            metrics = write_next_item_artifact(training, early_interactions(training), aside, parameters, seed)
        else:
            metrics = write_window_artifact(training, aside, parameters, seed, settings=settings, strategy=strategy)
        description = {"objective": objective, "hyperparameters": parameters.model_dump(), "seed": seed, "metrics": metrics}
        (aside / MANIFEST_NAME).write_text(json.dumps(description, indent=1), encoding="utf-8")
        if strategy.is_chief:
            put_folder(aside, out_dir)
        strategy.barrier()
    get_logger("train_two_tower").info("two-tower trained" if objective else "two-tower left out", **metrics)
    return metrics
