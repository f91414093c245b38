"""Reading the training plan that the first step of a run left."""

from pathlib import Path

from pydantic import ValidationError

from endcap.contracts.training_plan import PLAN_NAME, TrainingPlan
from endcap.core.errors import DataRejected


def read_plan(folder: Path) -> TrainingPlan:
    """`plan.json` of a folder.

    Raises:
        DataRejected: there is none of this version.
    """
    try:
        return TrainingPlan.model_validate_json((folder / PLAN_NAME).read_bytes())
    except (FileNotFoundError, ValidationError) as error:
        raise DataRejected("not a training plan of this version", field=str(folder), fix="run the step validate_data again") from error
