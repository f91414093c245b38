"""The step preflight: a run that could not deploy ends here, and a run of whatever the dataset is now learns what that is."""

from pathlib import Path
from typing import Any

from endcap.algorithms.registry import neighbour_algorithm
from endcap.core.errors import InvalidInput
from endcap.core.overrides import overridden
from endcap.core.person_ids import load_person_ids
from endcap.core.settings import RetrievalSettings, Settings
from endcap.dataset.kept_ids import require_kept
from endcap.dataset.layout import open_dataset
from endcap.evaluation.as_shown import home_surface
from endcap.release.bundle.rollout_target import rollout_target
from endcap.release.rollout.client import read_defaults
from endcap.training.signals_file import signals_of
from endcap_components.build_tables.ease_table import EaseTable
from endcap_components.distil_ranker.hyperparameters import DistillationHyperparameters
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.precision import Precision
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters


def preflight_step(data_dir: Path, fingerprint: str, settings: Settings) -> str:
    """The fingerprint of the dataset to train on.

    Args:
        data_dir: a canonical dataset.
        fingerprint: what it is expected to be; empty for whatever it is.
        settings: of the deployment, among others.

    Raises:
        InvalidInput: bundles are to be rolled out, and a setting for that is missing or wrong.
        DataRejected: it is not a dataset, or its ids are kept in another way than the settings say.
    """
    if rollout_target(settings.rollouts) is not None:
        read_defaults(settings.rollouts.defaults_file)
    dataset = open_dataset(data_dir)
    require_kept(dataset, load_person_ids(settings))
    return fingerprint or dataset.fingerprint


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


def check_models(two_tower: dict[str, Any], ranker: dict[str, Any], quotas: dict[str, Any]) -> None:
    """The same of what models are trained with; `quotas` are fields of RetrievalSettings.

    Raises:
        InvalidInput: a name is unknown or a value is not allowed.
    """
    overridden(TwoTowerHyperparameters, two_tower, "two_tower")
    overridden(RankerHyperparameters, ranker, "ranker")
    overridden(RetrievalSettings, quotas, "quotas")


def check_lists(popularity_days: int, ease: dict[str, Any], batching: dict[str, Any], home: dict[str, Any]) -> None:
    """The same of what tables, lists and the bundle are made with.

    Raises:
        InvalidInput: a name is unknown or a value is not allowed.
    """
    if popularity_days < 1:
        raise InvalidInput("must be 1 or more", field="popularity_days", value=popularity_days)
    EaseTable.of(ease)
    Batching.of(batching)
    home_surface(home)
