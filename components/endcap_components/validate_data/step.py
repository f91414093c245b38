"""The step validate_data: the pipeline's own copy of a dataset that fits its contracts, and the plan of what is trained on it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from endcap.contracts.training_plan import PLAN_NAME, TrainingPlan
from endcap.core.errors import DataRejected
from endcap.core.files import link_or_copy, replace_text, replacing_folder
from endcap.dataset.layout import Dataset, open_dataset
from endcap.training.planning.planning import Requested, plan_training
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.validate_data.asked_objective import check_objective


@dataclass(frozen=True)
class Validated:
    """The copy, and what is trained on it."""

    dataset: Dataset
    plan: TrainingPlan


def validate_data_step(  # noqa: PLR0917 - what goes in, what comes out, and what was asked for
    data_dir: Path,
    fingerprint: str,
    out_dir: Path,
    plan_dir: Path,
    requested: Requested | None = None,
    two_tower: TwoTowerHyperparameters | None = None,
) -> Validated:
    """Check a canonical dataset's description, tables and columns, work out what it allows to train, and keep it as it is now.

    Files are linked where that is possible, so a copy costs no space; an import replaces files and never changes them.

    Args:
        data_dir: a canonical dataset.
        fingerprint: what the dataset is expected to be.
        out_dir: the folder to write; replaced when it exists.
        plan_dir: the folder that gets `plan.json`.
        requested: what was asked for; whatever fits when left out.
        two_tower: what was asked of the two-tower; the defaults when left out.

    Raises:
        DataRejected: it is not a dataset, or another one than expected, or there is nothing to recommend from.
        InvalidInput: what was asked for leaves out what could be trained without it, or cannot be learned from the data.
    """
    dataset = open_dataset(data_dir)
    if dataset.fingerprint != fingerprint:
        raise DataRejected("the dataset changed while the pipeline started", field=str(data_dir), value=dataset.fingerprint)
    plan = plan_training(dataset, requested or Requested())
    check_objective(plan, (two_tower or TwoTowerHyperparameters()).objective)
    with replacing_folder(out_dir) as aside:
        shutil.copytree(data_dir, aside, copy_function=link_or_copy, dirs_exist_ok=True)
    with replacing_folder(plan_dir) as aside:
        replace_text(aside / PLAN_NAME, plan.model_dump_json(indent=1) + "\n")
    return Validated(open_dataset(out_dir), plan)
