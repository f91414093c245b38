"""tensorflow.serving.ModelService: which versions are loaded, and the request to look at the folder again."""

from typing import Any

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, model_service_pb2_grpc

from endcap_model_server.versions import ModelVersions

UNKNOWN_ERROR = 2


class ModelService(model_service_pb2_grpc.ModelServiceServicer):  # type: ignore[misc]  # generated without types
    """Answers for one model."""

    def __init__(self, versions: ModelVersions) -> None:
        self._versions = versions

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        spec = request.model_spec
        states = self._versions.states() if spec.name == self._versions.name else {}
        if spec.HasField("version"):
            states = {version: state for version, state in states.items() if version == spec.version.value}
        if not states:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {spec.name}")
        response = get_model_status_pb2.GetModelStatusResponse()
        for version, (state, error) in states.items():
            status = response.model_version_status.add(version=version, state=int(state))
            if error:
                status.status.error_code = UNKNOWN_ERROR
                status.status.error_message = error
        return response

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> Any:  # noqa: N802
        configs = list(request.config.model_config_list.config)
        if [config.name for config in configs] != [self._versions.name]:
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"config: this server holds one model, {self._versions.name}; name it and no other"
            )
        if configs[0].base_path and configs[0].base_path != str(self._versions.base_path):
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT, f"config.base_path: cannot be changed while serving; it is {self._versions.base_path}"
            )
        self._versions.rescan()
        return model_management_pb2.ReloadConfigResponse()
