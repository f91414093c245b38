"""The step train_two_tower: fit, export, and measure on the ranking windows' labels."""

import json
from pathlib import Path

from endcap.core.files import folder_beside, put_folder
from endcap.core.log import get_logger
from endcap.core.settings import TrainingSettings
from endcap.training.data_profile import DataProfile
from endcap.training.early_interactions import early_interactions, early_parts
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters

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
    from endcap_components.train_two_tower.distribution import open_spread
    from endcap_components.train_two_tower.next_item.next_item_artifact import write_next_item_artifact
    from endcap_components.train_two_tower.window.window_artifact import write_window_artifact

    spread = open_spread(settings.distribution)
    training = TrainingSet(training_dir)
    objective = parameters.objective_for(DataProfile.of_parts(early_parts(training)))
    with folder_beside(out_dir) as aside:
        if objective == "next_item":
            metrics = write_next_item_artifact(training, early_interactions(training), aside, parameters, seed)
        else:
            metrics = write_window_artifact(training, aside, parameters, seed, settings=settings, spread=spread)
        description = {"objective": objective, "hyperparameters": parameters.model_dump(), "seed": seed, "metrics": metrics}
        (aside / MANIFEST_NAME).write_text(json.dumps(description, indent=1), encoding="utf-8")
        if spread.is_chief:
            put_folder(aside, out_dir)
        spread.meet()
    get_logger("train_two_tower").info("two-tower trained", **metrics)
    return metrics
