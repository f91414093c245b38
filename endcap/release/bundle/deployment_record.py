"""What the last deployment of a pipeline was, for whoever started the pipeline on the same machine."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from endcap.core.errors import EndcapError
from endcap.core.files import replace_text

RECORD_NAME = "deployment.json"


class Deployment(BaseModel):
    """`deployment.json` under `home`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(description="The bundle.")
    rollout: str | None = Field(None, description="The Rollout that takes it to all traffic; None when it is served already.")

    def message(self) -> str:
        """One sentence for a person."""
        if self.rollout is None:
            return f"Bundle endcap-{self.version} is deployed"
        return f"rollout {self.rollout} created; watch it: endcap rollout show {self.rollout}"


def write_deployment(home: Path, deployment: Deployment) -> None:
    replace_text(home / RECORD_NAME, deployment.model_dump_json(indent=1))


def read_deployment(home: Path) -> Deployment | None:
    """The last deployment from this home, or None when there was none.

    Raises:
        EndcapError: there is a record that cannot be read.
    """
    path = home / RECORD_NAME
    try:
        return Deployment.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise EndcapError(
            f"the record of the last deployment cannot be read: {error}", field=str(path), fix="remove it, and look at what is deployed"
        ) from error
