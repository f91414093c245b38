"""The section `pipelines` of the chart's values: what a compiled pipeline asks of a cluster."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from endcap.errors import InvalidInput

SECTION = "pipelines"
DATA_DIR = "/data/endcap"
CHART_FILE, VALUES_FILE = "Chart.yaml", "values.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Image(_Part):
    repository: str = Field("endcap/pipeline", min_length=1)
    tag: str = Field("", description="Empty for this version of endcap.")
    digest: str = Field("", pattern=r"^(sha256:[0-9a-f]{64})?$", description="Wins over the tag.")
    pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    pull_secrets: list[str] = Field(default_factory=list)

    @property
    def reference(self) -> str:
        """As a container names it."""
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag or package_version('endcap')}"


class Toleration(_Part):
    """As in a pod."""

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""


class Gpus(_Part):
    """Where the two training steps find GPUs."""

    count: int = Field(0, ge=0, description="GPUs a training step; 0 trains on CPUs.")
    resource: str = Field("nvidia.com/gpu", description="The name under which nodes offer them.")
    node_selector: dict[str, str] = Field(default_factory=dict)
    tolerations: list[Toleration] = Field(default_factory=list)


class Volume(_Part):
    claim_name: str = Field(min_length=1)
    mount_path: str = Field(pattern=r"^/")


class SecretEnv(_Part):
    secret_name: str = Field(min_length=1)
    key: str = Field(min_length=1)
    env: str = Field(min_length=1)


class Resources(_Part):
    """Requests of one step, in Kubernetes quantities; the memory is also its limit."""

    cpu: str
    memory: str


class Schedule(_Part):
    enabled: bool = False
    cron: str = ""
    timezone: str = "UTC"


class PipelineValues(_Part):
    """Defaults are the chart's own."""

    enabled: bool = False
    image: Image = Image()
    service_account_name: str = Field("", description="Of the steps' pods; empty for the server's default.")
    data_dir: str = Field(DATA_DIR, description="The canonical dataset, as the steps see it.")
    experiment: str = "endcap"
    gpus: Gpus = Gpus()
    volumes: list[Volume] = Field(default_factory=list, description="For the steps that reach stores.")
    secret_env: list[SecretEnv] = Field(default_factory=list, description="For the steps that reach stores.")
    env: dict[str, str] = Field(default_factory=dict, description="For every step.")
    resources: dict[str, Resources] = Field(default_factory=dict, description="By step, where its own do not do.")
    schedule: Schedule = Schedule()


def read_values(files: Sequence[Path]) -> PipelineValues:
    """Read values files, the last one winning, on top of the values of the chart that the first one belongs to.

    Merged as Helm does: maps by key, anything else replaced, null takes a key away.

    Raises:
        InvalidInput: a file cannot be read, or the section has an unknown key or a wrong value.
    """
    merged: dict[str, Any] = {}
    for path in [*_chart_values(files), *files]:
        merged = _merged(merged, _section(path))
    try:
        return PipelineValues.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in (SECTION, *first["loc"]))
        raise InvalidInput(first["msg"], field=where, value=first.get("input"), fix="correct the values file") from error


def _chart_values(files: Sequence[Path]) -> list[Path]:
    """`values.yaml` of the chart around the first file, if it lies in one."""
    for path in files[:1]:
        for folder in path.absolute().parents:
            if (folder / CHART_FILE).is_file():
                return [folder / VALUES_FILE] if (folder / VALUES_FILE).is_file() else []
    return []


def _section(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise InvalidInput(f"cannot be read: {error}", field="--values", value=str(path), fix="name a YAML file of values") from error
    section = document.get(SECTION) if isinstance(document, dict) else document
    if not isinstance(section, dict | None):
        raise InvalidInput(f"`{SECTION}` must be a map", field="--values", value=str(path))
    return section or {}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result
