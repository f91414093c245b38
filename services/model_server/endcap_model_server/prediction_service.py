"""tensorflow.serving.PredictionService over loaded versions: Predict and GetModelMetadata, with TensorFlow Serving's status codes."""

from collections.abc import Mapping
from typing import Any, NoReturn

import grpc
from numpy.typing import NDArray
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from endcap.core.errors import InvalidInput
from endcap.core.tensorflow_serving.tensors import dtype_name, fill_tensor, read_tensor
from endcap_model_server.loading import LoadedVersion, Signature
from endcap_model_server.versions import ModelVersions

DEFAULT_SIGNATURE = "serving_default"
METADATA_FIELD = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):  # type: ignore[misc]  # generated without types
    """Answers for one model; Classify, Regress and MultiInference stay unimplemented."""

    def __init__(self, versions: ModelVersions) -> None:
        self._versions = versions

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        loaded = self._loaded(request.model_spec, context)
        name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        signature = loaded.signatures.get(name)
        if signature is None:
            _abort(
                context,
                grpc.StatusCode.INVALID_ARGUMENT,
                f'Serving signature name: "{name}" not found in signature def; there are {", ".join(sorted(loaded.signatures))}',
            )
        try:
            wanted = _wanted_outputs(signature, request.output_filter)
            outputs = signature.run(_arrays(signature, request.inputs))
        except InvalidInput as error:
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse()
        _fill_spec(response.model_spec, self._versions.name, loaded.version, name)
        for output in wanted:
            fill_tensor(response.outputs[output], outputs[output])
        return response

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        loaded = self._loaded(request.model_spec, context)
        unknown = [field for field in request.metadata_field if field != METADATA_FIELD]
        if unknown or not request.metadata_field:
            given = ", ".join(unknown) or "nothing"
            _abort(context, grpc.StatusCode.INVALID_ARGUMENT, f"metadata_field: {given} is not supported; ask for {METADATA_FIELD}")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        _fill_spec(response.model_spec, self._versions.name, loaded.version, "")
        response.metadata[METADATA_FIELD].Pack(loaded.definitions)
        return response

    def _loaded(self, spec: Any, context: Any) -> LoadedVersion:
        loaded = None
        version = spec.version.value if spec.HasField("version") else None
        if spec.name == self._versions.name:
            loaded = self._versions.get(version)
        if loaded is None:
            latest = f"Specific({version})" if version is not None else "Latest"
            _abort(context, grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {latest}({spec.name})")
        return loaded


def _abort(context: Any, code: Any, details: str) -> NoReturn:
    context.abort(code, details)
    raise AssertionError("abort returned")  # gRPC's own has no types that say that it raises


def _wanted_outputs(signature: Signature, output_filter: Any) -> list[str]:
    unknown = sorted(set(output_filter) - set(signature.outputs))
    if unknown:
        raise InvalidInput(f"output {unknown[0]} is not in the signature; there are {', '.join(signature.outputs)}", field="output_filter")
    return list(output_filter) or list(signature.outputs)


def _arrays(signature: Signature, inputs: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    missing, extra = sorted(set(signature.inputs) - set(inputs)), sorted(set(inputs) - set(signature.inputs))
    if missing or extra:
        raise InvalidInput(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)}."
            f" Sent extra: {{{', '.join(extra)}}}. Missing but required: {{{', '.join(missing)}}}."
        )
    return {name: _array(name, signature, inputs[name]) for name in signature.inputs}


def _array(name: str, signature: Signature, proto: Any) -> NDArray[Any]:
    spec = signature.inputs[name]
    if proto.dtype != spec.dtype_number:
        raise InvalidInput(f"expected {dtype_name(spec.dtype_number)}, {dtype_name(proto.dtype)} was provided", field=f"inputs[{name}]")
    array = read_tensor(proto, f"inputs[{name}]")
    if not spec.accepts(array.shape):
        wanted = ["?" if size is None else size for size in spec.shape]
        raise InvalidInput(f"expected shape [{', '.join(map(str, wanted))}]", field=f"inputs[{name}]", value=list(array.shape))
    return array


def _fill_spec(spec: Any, name: str, version: int, signature_name: str) -> None:
    spec.name = name
    spec.version.value = version
    spec.signature_name = signature_name
