"""Uploaded pipelines: read as the server reads them, IR YAML that kfp loads, with nothing of Argo in it."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from google.protobuf import json_format
from kfp import components
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec import pipeline_spec_pb2

from tests.pipelines.kfp_server.published_models import Refused

_KINDS: dict[str, tuple[type, ...]] = {
    "STRING": (str,),
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": (bool,),
    "STRUCT": (dict,),
    "LIST": (list,),
}


@dataclass(frozen=True)
class Package:
    """A pipeline whose documents parsed into KFP's own messages without an unknown field.

    Attributes:
        spec: the pipeline, a PipelineSpec.
        settings: Kubernetes settings by executor.
    """

    spec: Any
    settings: dict[str, KubernetesExecutorConfig]

    @property
    def name(self) -> str:
        return str(self.spec.pipeline_info.name)

    def check_parameters(self, given: dict[str, Any]) -> None:
        """Hold a run's parameters against the pipeline's inputs.

        Raises:
            Refused: one is unknown, of another type, or missing.
        """
        inputs = self.spec.root.input_definitions.parameters
        for name, value in given.items():
            if name not in inputs:
                raise Refused(f"the pipeline has no input {name}")
            kind = pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(inputs[name].parameter_type)
            if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "BOOLEAN"):
                raise Refused(f"input {name} must be {kind}, not {value!r}")
        missing = [name for name, each in inputs.items() if not each.is_optional and name not in given]
        if missing:
            raise Refused(f"inputs are missing: {missing}")


@cache
def read_package(text: str) -> Package:
    """Read a compiled pipeline.

    Raises:
        Refused: kfp does not load it, or one of its documents has a field that KFP's messages lack.
    """
    if "argoproj.io" in text:
        raise Refused("an Argo workflow is no pipeline")
    try:
        components.load_component_from_text(text)
        documents = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
        spec = json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
        platform = json_format.ParseDict(documents[1] if len(documents) > 1 else {}, pipeline_spec_pb2.PlatformSpec())
        executors = platform.platforms["kubernetes"].deployment_spec.executors
        settings = {
            name: json_format.ParseDict(json_format.MessageToDict(each), KubernetesExecutorConfig()) for name, each in executors.items()
        }
    except (json_format.ParseError, yaml.YAMLError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"not a compiled pipeline: {error}") from error
    return Package(spec, settings)
