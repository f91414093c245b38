"""The chart's values as pipelines read them: what a compiled pipeline asks of a cluster."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from endcap.core.errors import InvalidInput

CHART_FILE, VALUES_FILE = "Chart.yaml", "values.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Image(_Part):
    repository: str = Field("endcap/pipeline", min_length=1)
    tag: str = Field("", description="Empty for this version of endcap.")
    digest: str = Field("", pattern=r"^(sha256:[0-9a-f]{64})?$", description="Wins over the tag.")


class Images(_Part):
    """What all images of the chart share."""

    registry: str = Field("", description="Goes before every repository.")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    pull_secrets: list[str] = Field(default_factory=list)


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
    """When runs start by themselves, and what starts them."""

    enabled: bool = False
    cron: str = "0 3 * * *"
    timezone: str = "UTC"
    by: Literal["recurringRun", "cronJob"] = "recurringRun"
    parameters: dict[str, Any] = Field(default_factory=dict, description="Of scheduled runs, by name.")
    resources: dict[str, Any] = Field(
        default_factory=lambda: {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
        description="Of the pod that asks the API, as in a container.",
    )


class PipelineSection(_Part):
    """`pipelines`, with the chart's own defaults."""

    enabled: bool = False
    image: Image = Image()
    service_account_name: str = Field("", description="Of the steps' pods; empty for the server's default.")
    security_context: bool = Field(True, description="Say that steps run as the user of `podSecurity`, and not as root.")
    host: str = Field("", description="Address of the Kubeflow Pipelines API.")
    namespace: str = Field("", description="Of a multi-user server's profile.")
    data_dir: str = Field("/var/lib/endcap/data", description="The canonical dataset, as the steps see it.")
    experiment: str = "endcap"
    gpus: Gpus = Gpus()
    volumes: list[Volume] = Field(default_factory=list, description="For the steps that reach stores.")
    secret_env: list[SecretEnv] = Field(default_factory=list, description="For the steps that reach stores.")
    env: dict[str, str] = Field(default_factory=dict, description="For every step.")
    resources: dict[str, Resources] = Field(default_factory=dict, description="By step, where its own do not do.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Defaults of the pipeline's parameters, by name.")
    schedule: Schedule = Schedule()


class PodSecurity(_Part):
    run_as_user: int = Field(10_001, ge=1)
    fs_group: int = Field(10_001, ge=1)


class ChartValues(BaseModel):
    """The sections that pipelines read; the others are the chart's."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    images: Images = Images()
    pod_security: PodSecurity = Field(PodSecurity(), alias="podSecurity")
    pipelines: PipelineSection = PipelineSection()

    @property
    def image(self) -> str:
        """The steps' image, as a container names it."""
        image = self.pipelines.image
        repository = f"{self.images.registry.rstrip('/')}/{image.repository}" if self.images.registry else image.repository
        return f"{repository}@{image.digest}" if image.digest else f"{repository}:{image.tag or package_version('endcap')}"


def read_values(files: Sequence[Path]) -> ChartValues:
    """Read values files, the last one winning, on top of the values of the chart that the first one belongs to.

    Merged as Helm does: maps by key, anything else replaced, null takes a key away.

    Raises:
        InvalidInput: a file cannot be read, or one of the sections has an unknown key or a wrong value.
    """
    merged: dict[str, Any] = {}
    for path in [*_chart_values(files), *files]:
        merged = _merged(merged, _document(path))
    try:
        return ChartValues.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(first["msg"], field=where, value=first.get("input"), fix="correct the values file") from error


def _chart_values(files: Sequence[Path]) -> list[Path]:
    """`values.yaml` of the chart around the first file, if it lies in one."""
    for path in files[:1]:
        for folder in path.absolute().parents:
            if (folder / CHART_FILE).is_file():
                return [folder / VALUES_FILE] if (folder / VALUES_FILE).is_file() else []
    return []


def _document(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        message = f"cannot be read ({' '.join(str(error).split())})"
        raise InvalidInput(message, field="--values", value=str(path), fix="name a YAML file of values") from error
    if not isinstance(document, dict):
        raise InvalidInput("must be a map", field="--values", value=str(path))
    return document


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
