"""The step preflight: a run that could not deploy ends here, and a run of whatever the dataset is now learns what that is."""

from pathlib import Path
from typing import Any

from endcap.algorithms.registry import neighbour_algorithm
from endcap.core.settings import Settings
from endcap.dataset.layout import open_dataset
from endcap.release.bundle.rollout_target import rollout_target
from endcap.release.rollout.client import read_defaults
from endcap.training.signals_file import signals_of
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.export_bundle.precision import Precision


def preflight_step(data_dir: Path, fingerprint: str, settings: Settings) -> str:
    """The fingerprint of the dataset to train on.

    Args:
        data_dir: a canonical dataset.
        fingerprint: what it is expected to be; empty for whatever it is.
        settings: of the deployment, among others.

    Raises:
        InvalidInput: bundles are to be rolled out, and a setting for that is missing or wrong.
        DataRejected: it is not a dataset.
    """
    if rollout_target(settings.rollouts) is not None:
        read_defaults(settings.rollouts.defaults_file)
    return fingerprint or open_dataset(data_dir).fingerprint


def check_parameters(distil: dict[str, Any], precision: str, item_to_item: dict[str, Any], signals: dict[str, Any]) -> None:
    """Refuse now what would be refused after hours.

    Args:
        distil: hyperparameters of the student, `{}` for none.
        precision: of the exported weights.
        item_to_item: the algorithm that makes the table, and its settings.
        signals: how much each type of event teaches, `{}` for the defaults.

    Raises:
        InvalidInput: a name is unknown or a value is not allowed.
    """
    DistillationHyperparameters.of(distil)
    Precision.of(precision)
    neighbour_algorithm(item_to_item)
    signals_of(signals)
