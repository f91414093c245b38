"""Checkpoints of a fit, so that a worker that was lost and started again goes on where the others were."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.core.settings import TrainingSettings
from endcap.training.training_set import TrainingManifest
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters


@dataclass(frozen=True)
class Checkpoints:
    """Where a fit leaves its weights and its optimiser's state, and how often.

    Attributes:
        folder: of this very fit; empty again when the fit has ended.
        steps: between two checkpoints.
    """

    folder: Path
    steps: int

    def callback(self) -> Any:
        """A Keras callback that restores what is there when a fit begins, and saves on the way."""
        import tensorflow as tf

        self.folder.mkdir(parents=True, exist_ok=True)
        return tf.keras.callbacks.BackupAndRestore(str(self.folder), save_freq=self.steps)


def checkpoints_of(
    settings: TrainingSettings, manifest: TrainingManifest, parameters: TwoTowerHyperparameters, seed: int
) -> Checkpoints | None:
    """The checkpoints that settings ask for, in a folder of their own for every training set, hyperparameters and seed."""
    if settings.checkpoint_dir is None:
        return None
    fit = "\n".join([manifest.model_dump_json(), parameters.model_dump_json(), str(seed)])
    return Checkpoints(settings.checkpoint_dir / f"two-tower-{hashlib.sha256(fit.encode()).hexdigest()[:16]}", settings.checkpoint_steps)
