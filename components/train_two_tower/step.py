"""The step train_two_tower: fit, export, and measure on the ranking windows' labels."""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np

from components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap.log import get_logger
from endcap.settings import TrainingSettings
from endcap.training.stamp import stamp
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap.training.training_set import TrainingSet

MANIFEST_NAME = "two_tower.json"


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
    """
    prepare_tensorflow(seed)
    settings = settings or TrainingSettings(distribution="none")
    from components.train_two_tower.checkpoints import checkpoints_of
    from components.train_two_tower.distribution import open_spread
    from components.train_two_tower.export import export_query_encoder
    from components.train_two_tower.train import embeddings_at, fit_two_tower

    spread = open_spread(settings.distribution)
    training = TrainingSet(training_dir)
    manifest = training.manifest
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        model, metrics = fit_two_tower(
            training, parameters, seed, spread=spread, checkpoints=checkpoints_of(settings, training.manifest, parameters, seed)
        )
        export_query_encoder(model, len(training.item_rows), aside / "saved_model")
        (aside / "item_embeddings_at").mkdir()
        for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
            embeddings = embeddings_at(model, training.items_at(moment).numeric)
            np.save(aside / "item_embeddings_at" / f"{stamp(moment)}.npy", embeddings)
        np.save(aside / "item_embeddings.npy", embeddings)
        description = {"hyperparameters": parameters.model_dump(), "seed": seed, "metrics": metrics}
        (aside / MANIFEST_NAME).write_text(json.dumps(description, indent=1), encoding="utf-8")
        if spread.is_chief:
            shutil.rmtree(out_dir, ignore_errors=True)
            aside.replace(out_dir)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    get_logger("train_two_tower").info("two-tower trained", **metrics)
    return metrics
