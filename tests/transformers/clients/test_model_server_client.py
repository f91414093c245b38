"""The client of TensorFlow Serving against a gRPC server of the published stubs and messages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow import make_ndarray, make_tensor_proto
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from endcap.core.errors import CallRefused, DependencyUnavailable
from endcap.core.settings import ModelServerSettings
from endcap.core.tensorflow_serving.messages import serving_messages
from endcap_transformer.clients.model_server_client import ModelServerClient, text

AVAILABLE = get_model_status_pb2.ModelVersionStatus.AVAILABLE
LOADING = get_model_status_pb2.ModelVersionStatus.LOADING


class Published(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """Answers what TensorFlow itself makes of the request's tensors; version 3 is loaded, version 4 is loading."""

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802
        spec = request.model_spec
        if spec.signature_name != "rank":
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no signature {spec.signature_name}")
        response = predict_pb2.PredictResponse(model_spec=spec)
        response.outputs["asked"].CopyFrom(make_tensor_proto(f"{spec.name} {spec.version.value}".encode(), shape=[1]))
        for name, tensor in request.inputs.items():
            response.outputs[name].CopyFrom(make_tensor_proto(make_ndarray(tensor)))
        return response

    def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802
        response = get_model_status_pb2.GetModelStatusResponse()
        version = request.model_spec.version.value
        if request.model_spec.name != "endcap" or version not in (3, 4):
            context.abort(grpc.StatusCode.NOT_FOUND, "no such version")
        response.model_version_status.add(version=version, state=AVAILABLE if version == 3 else LOADING)
        return response


@contextmanager
def published() -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Published(), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Published(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@pytest.fixture
async def client():
    with published() as port:
        client = ModelServerClient(serving_messages(), ModelServerSettings(port=port), "endcap")
        yield client
        await client.close()


async def test_arrays_and_the_version_reach_the_published_service_and_come_back(client: ModelServerClient) -> None:
    inputs = {
        "numbers": np.arange(6, dtype=np.float32).reshape(2, 3),
        "items": np.array([[1], [2**31 - 1]], dtype=np.int32),
        "texts": np.array([b"a", b"\xff"], dtype=object),
    }
    outputs = await client.predict("rank", 3, inputs)
    assert text(outputs, "asked") == "endcap 3"
    for name, array in inputs.items():
        np.testing.assert_array_equal(outputs[name], array)
        assert outputs[name].dtype == array.dtype


async def test_a_refusal_is_named_with_its_status(client: ModelServerClient) -> None:
    with pytest.raises(CallRefused, match="INVALID_ARGUMENT: no signature encode_query"):
        await client.predict("encode_query", 3, {})


async def test_a_version_is_available_when_it_is_loaded(client: ModelServerClient) -> None:
    assert [await client.why_unavailable(version) for version in (3, 4, 5)] == ["", "it is not loaded", "NOT_FOUND: no such version"]


async def test_a_version_that_is_still_loading_is_not_waited_for_longer_than_asked(client: ModelServerClient) -> None:
    await client.wait_until_available(3, timeout_s=5)
    with pytest.raises(DependencyUnavailable, match="does not serve version 4: it is not loaded"):
        await client.wait_until_available(4, timeout_s=0)


async def test_a_server_that_does_not_answer_is_not_said_to_lack_the_version() -> None:
    client = ModelServerClient(serving_messages(), ModelServerSettings(port=1), "endcap")
    with pytest.raises(DependencyUnavailable, match="does not serve version 3: UNAVAILABLE"):
        await client.wait_until_available(3, timeout_s=0)
    await client.close()
