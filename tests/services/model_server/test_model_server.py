"""The local model server speaks TensorFlow Serving's API: requests, refusals and versions that come and go."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from endcap.core.ports import free_port
from endcap.core.tensorflow_serving.tensors import fill_tensor, read_tensor
from endcap.features.columns import USER_CATEGORICAL, USER_NUMERIC
from endcap.release.bundle.promotion import model_base_path
from endcap_benchmarks.synthetic.bundle import SyntheticSize, promote_synthetic

pytestmark = pytest.mark.processes

SIZE = SyntheticSize(items=100, dim=8)
START_TIMEOUT_S = 120


@dataclass(frozen=True)
class Server:
    served_dir: Path
    prediction: Any
    models: Any

    def predict(self, inputs: dict[str, np.ndarray], signature: str = "encode_query", name: str = "endcap", **fields: Any) -> Any:
        request = predict_pb2.PredictRequest(output_filter=fields.get("output_filter", []))
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        if "version" in fields:
            request.model_spec.version.value = fields["version"]
        for key, array in inputs.items():
            fill_tensor(request.inputs[key], array)
        return self.prediction.Predict(request, timeout=30)

    def states(self) -> dict[int, int]:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "endcap"
        return {status.version: status.state for status in self.models.GetModelStatus(request, timeout=30).model_version_status}

    def reload(self, name: str = "endcap") -> Any:
        request = model_management_pb2.ReloadConfigRequest()
        request.config.model_config_list.config.add(name=name)
        return self.models.HandleReloadConfigRequest(request, timeout=60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("model_server")
    promote_synthetic(home / "served", 1, "endcap_1", SIZE)
    port = free_port()
    environment = os.environ | {"ENDCAP_HOME": str(home), "ENDCAP_MODEL_SERVER__PORT": str(port), "ENDCAP_LOG_FORMAT": "json"}
    with (home / "log").open("w") as log:
        process = subprocess.Popen([sys.executable, "-m", "endcap_model_server"], env=environment, stderr=log)
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    try:
        grpc.channel_ready_future(channel).result(timeout=START_TIMEOUT_S)
        yield Server(
            home / "served",
            prediction_service_pb2_grpc.PredictionServiceStub(channel),
            model_service_pb2_grpc.ModelServiceStub(channel),
        )
    finally:
        channel.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def query_inputs(rows: int = 2) -> dict[str, np.ndarray]:
    return {
        "history": np.ones((rows, 50), np.int32),
        "history_age_days": np.ones((rows, 50), np.float32),
        "history_signal": np.ones((rows, 50), np.int32),
        "user_numeric": np.zeros((rows, len(USER_NUMERIC)), np.float32),
        "user_categories": np.zeros((rows, len(USER_CATEGORICAL)), np.int32),
        "context": np.zeros((rows, 5), np.int32),
    }


def test_predict_answers_with_the_newest_version(server) -> None:
    response = server.predict(query_inputs())
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "encode_query"
    embedding = read_tensor(response.outputs["embedding"], "embedding")
    assert embedding.shape == (2, 8)
    assert np.linalg.norm(embedding, axis=1) == pytest.approx(1, abs=1e-4)
    assert read_tensor(response.outputs["collection"], "collection").tolist() == [b"endcap_1"]


def test_output_filter_leaves_the_others_out(server) -> None:
    assert set(server.predict(query_inputs(), output_filter=["embedding"]).outputs) == {"embedding"}


def without(name: str) -> dict[str, np.ndarray]:
    return {key: array for key, array in query_inputs().items() if key != name}


@pytest.mark.parametrize(
    ("inputs", "fields", "code", "message"),
    [
        (without("history"), {}, "INVALID_ARGUMENT", "Missing but required: {history}"),
        (query_inputs() | {"more": np.zeros(1, np.float32)}, {}, "INVALID_ARGUMENT", "Sent extra: {more}"),
        (query_inputs() | {"history": np.zeros((2, 50), np.int64)}, {}, "INVALID_ARGUMENT", "inputs[history]: expected int32, int64"),
        (query_inputs() | {"history": np.zeros((2, 49), np.int32)}, {}, "INVALID_ARGUMENT", "inputs[history]: expected shape [?, 50]"),
        (query_inputs(), {"signature": "classify"}, "INVALID_ARGUMENT", '"classify" not found'),
        (query_inputs(), {"output_filter": ["price"]}, "INVALID_ARGUMENT", "output price is not in the signature"),
        (query_inputs(), {"name": "other"}, "NOT_FOUND", "other"),
        (query_inputs(), {"version": 99}, "NOT_FOUND", "Specific(99)(endcap)"),
    ],
)
def test_wrong_requests_are_refused_by_name(server, inputs, fields, code, message) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(inputs, **fields)
    assert caught.value.code().name == code
    assert message in caught.value.details()


def test_rows_that_do_not_fit_together_are_refused_without_harm(server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.predict(query_inputs() | {"user_numeric": np.zeros((3, len(USER_NUMERIC)), np.float32)})
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert server.predict(query_inputs()).outputs


def test_metadata_describes_both_signatures(server) -> None:
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "endcap"
    packed = server.prediction.GetModelMetadata(request, timeout=30).metadata["signature_def"]
    definitions = get_model_metadata_pb2.SignatureDefMap()
    assert packed.Unpack(definitions)
    assert {"encode_query", "rank"} <= set(definitions.signature_def)
    assert "history" in definitions.signature_def["encode_query"].inputs


def test_a_new_version_takes_over_while_the_old_one_answers_whoever_names_it(server) -> None:
    promote_synthetic(server.served_dir, 2, "endcap_2", SIZE)
    server.reload()
    assert server.states() == {2: 30, 1: 30}
    shutil.rmtree(model_base_path(server.served_dir) / "1")
    server.reload()
    assert read_tensor(server.predict(query_inputs()).outputs["collection"], "c").tolist() == [b"endcap_2"]
    assert read_tensor(server.predict(query_inputs(), version=1).outputs["collection"], "c").tolist() == [b"endcap_1"]


def test_a_damaged_version_is_reported_and_the_good_one_goes_on(server) -> None:
    broken = model_base_path(server.served_dir) / "7"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"nonsense")
    deadline = time.monotonic() + 20
    while server.states().get(7) != 50:
        assert time.monotonic() < deadline
        server.reload()
    assert server.predict(query_inputs()).model_spec.version.value < 7
    shutil.rmtree(broken)


def test_reload_names_this_model_only(server) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        server.reload("other")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
