"""The artifact of a two-tower that learns what is bought in the days after a snapshot."""

from pathlib import Path

import numpy as np

from endcap.core.settings import TrainingSettings
from endcap.training.stamp import stamp
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.checkpoints import checkpoints_of
from endcap_components.train_two_tower.distribution import Spread
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.window.export import export_query_encoder
from endcap_components.train_two_tower.window.train import embeddings_at, fit_two_tower


def write_window_artifact(
    training: TrainingSet, folder: Path, parameters: TwoTowerHyperparameters, seed: int, *, settings: TrainingSettings, spread: Spread
) -> dict[str, float]:
    """Fit, and write `saved_model/`, `item_embeddings.npy` and `item_embeddings_at/`.

    Returns:
        Metrics by name.
    """
    manifest = training.manifest
    checkpoints = checkpoints_of(settings, manifest, parameters, seed)
    model, metrics = fit_two_tower(training, parameters, seed, spread=spread, checkpoints=checkpoints)
    export_query_encoder(model, len(training.item_rows), folder / "saved_model")
    (folder / "item_embeddings_at").mkdir()
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        embeddings = embeddings_at(model, training.items_at(moment).numeric)
        np.save(folder / "item_embeddings_at" / f"{stamp(moment)}.npy", embeddings)
    np.save(folder / "item_embeddings.npy", embeddings)
    return metrics
