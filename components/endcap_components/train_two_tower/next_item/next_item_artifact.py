"""The artifact of a two-tower that learns the next item of every history."""

from pathlib import Path

import numpy as np

from endcap.algorithms.interactions import Interactions
from endcap.catalogue.item_attributes import attribute_codes
from endcap.training.stamp import stamp
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.next_item.fit_sequences import fit_joined_towers
from endcap_components.train_two_tower.next_item.sequence_export import export_sequence_encoder


def write_next_item_artifact(
    training: TrainingSet, interactions: Interactions, folder: Path, parameters: TwoTowerHyperparameters, seed: int
) -> dict[str, float]:
    """Fit, and write `saved_model/`, `item_embeddings.npy` and `item_embeddings_at/`, which holds the same for every moment.

    Args:
        training: the training set.
        interactions: `endcap.training.early_interactions` of it.
        folder: to write to.
        parameters: of the two-tower.
        seed: of everything random.

    Returns:
        Metrics by name.
    """
    manifest = training.manifest
    fit = fit_joined_towers(interactions, attribute_codes(training.item_rows), parameters.next_item, seed)
    export_sequence_encoder(fit.towers, folder / "saved_model")
    embeddings = fit.towers.item_embeddings
    (folder / "item_embeddings_at").mkdir()
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        np.save(folder / "item_embeddings_at" / f"{stamp(moment)}.npy", embeddings)
    np.save(folder / "item_embeddings.npy", embeddings)
    return fit.metrics
