from pathlib import Path

import numpy as np
import pytest

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(0)

import tensorflow as tf  # noqa: E402

from endcap.core.settings import TrainingSettings  # noqa: E402
from endcap.training.training_set import TrainingSet  # noqa: E402
from endcap_components.train_two_tower.checkpoints import Checkpoints, checkpoints_of  # noqa: E402
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters  # noqa: E402
from endcap_components.train_two_tower.window import train  # noqa: E402
from tests.endcap.training.made_artifacts import training_dir  # noqa: E402

pytestmark = pytest.mark.training

PARAMETERS = TwoTowerHyperparameters(dim=8, epochs=2, batch_size=128, dropout=0, id_dropout=0)
SEED = 5


class WorkerLostError(Exception):
    """What ends a fit in the middle."""


def fitted(checkpoints: Checkpoints | None) -> list[np.ndarray]:
    prepare_tensorflow(SEED)
    return train.fit_two_tower(TrainingSet(training_dir()), PARAMETERS, SEED, checkpoints=checkpoints)[0].get_weights()


def lost_after(steps: int) -> tf.keras.callbacks.Callback:
    """Ends a fit once it has made so many steps."""
    made = []

    def count(*_: object) -> None:
        made.append(1)
        if len(made) == steps:
            raise WorkerLostError

    return tf.keras.callbacks.LambdaCallback(on_train_batch_end=count)


def test_fit_that_was_lost_ends_as_if_nothing_had_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed = fitted(None)
    checkpoints = Checkpoints(tmp_path / "checkpoints", steps=2)
    with monkeypatch.context() as disturbed:
        disturbed.setattr(train, "fit_progress", lambda *_, **__: lost_after(5))
        with pytest.raises(WorkerLostError):
            fitted(checkpoints)
    assert list(checkpoints.folder.iterdir())
    for restarted, expected in zip(fitted(checkpoints), undisturbed, strict=True):
        np.testing.assert_allclose(restarted, expected, atol=1e-5)
    assert not list(tmp_path.rglob("*.index"))


def test_every_fit_has_checkpoints_of_its_own(tmp_path: Path) -> None:
    manifest, settings = TrainingSet(training_dir()).manifest, TrainingSettings(checkpoint_dir=tmp_path, checkpoint_steps=7)
    asked = [(PARAMETERS, 1), (PARAMETERS, 2), (PARAMETERS.model_copy(update={"dim": 16}), 1)]
    made = [checkpoints_of(settings, manifest, parameters, seed) for parameters, seed in asked]
    assert len({one.folder for one in made if one}) == 3
    assert all(one and one.steps == 7 and one.folder.parent == tmp_path for one in made)
    assert checkpoints_of(TrainingSettings(), manifest, PARAMETERS, 1) is None
