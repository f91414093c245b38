"""A model server that answers, but nonsense."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow_serving.apis import get_model_status_pb2, predict_pb2

from endcap.core.tensorflow_serving.tensors import fill_tensor
from tests.faults.deployment import Deployment
from tests.faults.made_home import FIRST, USERS

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

Outputs = Mapping[str, Any]
Answering = Callable[[Outputs], bytes]
"""Makes the bytes of an answer of the outputs that would be right."""

EMBEDDING = np.eye(1, FIRST.dim, dtype=np.float32)


def message(outputs: Outputs) -> bytes:
    response = predict_pb2.PredictResponse()
    for name, value in outputs.items():
        fill_tensor(response.outputs[name], value)
    return response.SerializeToString()


def each_output(change: Callable[[Any], Any]) -> Answering:
    return lambda right: message({name: change(value) for name, value in right.items()})


def each_number(change: Callable[[Any], Any]) -> Answering:
    return lambda right: message({name: value if value.dtype == object else change(value) for name, value in right.items()})


def spoilt(spoil: Callable[[Any], None]) -> Answering:
    """Every tensor of an answer, spoilt as a message."""

    def answer(right: Outputs) -> bytes:
        response = predict_pb2.PredictResponse.FromString(message(right))
        for name in right:
            spoil(response.outputs[name])
        return response.SerializeToString()

    return answer


def endless_shape(tensor: Any) -> None:
    del tensor.tensor_shape.dim[:]
    tensor.tensor_shape.dim.add().size = 1 << 40
    tensor.tensor_content = b""
    tensor.float_val[:] = [1.0]


def overflowing_shape(tensor: Any) -> None:
    for _ in range(4):
        tensor.tensor_shape.dim.add().size = 1 << 62


def negative_shape(tensor: Any) -> None:
    tensor.tensor_shape.dim[0].size = -1


def unknown_type(tensor: Any) -> None:
    tensor.dtype = 99


def half_a_number(tensor: Any) -> None:
    tensor.tensor_content = tensor.tensor_content[:-1]


GARBAGE: dict[str, Answering] = {
    "no outputs": lambda right: message({}),
    "other outputs": lambda right: message({"surprise": EMBEDDING}),
    "empty": each_output(lambda value: value[:0]),
    "too many": each_output(lambda value: np.concatenate([value, value])),
    "transposed": each_number(lambda value: value[:, None]),
    "not a number": each_number(lambda value: value * np.float32("nan")),
    "infinite": each_number(lambda value: value + np.float32("inf")),
    "doubles": each_number(lambda value: value.astype(np.float64)),
    "texts": each_number(lambda value: np.full(value.shape, b"0.5", dtype=object)),
    "endless shape": spoilt(endless_shape),
    "overflowing shape": spoilt(overflowing_shape),
    "negative shape": spoilt(negative_shape),
    "unknown type": spoilt(unknown_type),
    "half a number": spoilt(half_a_number),
    "no protobuf": lambda right: b"\xff\xfe garbage \x00" * 50,
    "no bytes": lambda right: b"",
}
OF_ENCODER = {
    "another bundle": lambda right: message({**right, "collection": np.array([b"endcap_9"], dtype=object)}),
    "collection no text": lambda right: message({**right, "collection": np.array([b"\xff\xfe"], dtype=object)}),
    "collection a number": lambda right: message({**right, "collection": np.array([7], dtype=np.int32)}),
}
SANE: Answering = message


class FakeModelServer(grpc.GenericRpcHandler):
    """TensorFlow Serving's gRPC methods, with answers that a test makes; how to answer each signature can change at any time."""

    def __init__(self) -> None:
        self.answering: dict[str, Answering] = {}
        self.asked: list[str] = []

    def service(self, details: Any) -> Any:
        answer = self._predict if details.method.endswith("/Predict") else self._status
        return grpc.unary_unary_rpc_method_handler(answer)

    def _status(self, request: bytes, context: Any) -> bytes:
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(version=1, state=30)
        return response.SerializeToString()

    def _predict(self, request: bytes, context: Any) -> bytes:
        asked = predict_pb2.PredictRequest.FromString(request)
        signature = asked.model_spec.signature_name
        self.asked.append(signature)
        right = {"embedding": EMBEDDING, "collection": np.array([b"endcap_1"], dtype=object)}
        if signature == "rank":
            count = asked.inputs["item_index"].tensor_shape.dim[0].size
            right = {name: np.linspace(0.9, 0.1, count, dtype=np.float32) for name in ("buy", "buy_again")}
        return self.answering.get(signature, SANE)(right)


@pytest.fixture(scope="module")
def fake(running: Deployment) -> Iterator[FakeModelServer]:
    running.wait_until_sound()
    running.model_server.kill()
    fake = FakeModelServer()
    server = grpc.server(ThreadPoolExecutor(4), handlers=(fake,), options=[("grpc.so_reuseport", 0)])
    server.add_insecure_port(f"127.0.0.1:{running.model_port}")
    server.start()
    yield fake
    fake.answering = {}
    running.wait_until_sound()
    server.stop(None).wait()
    running.model_server.start()
    running.model_server.wait_until_ready()
    running.wait_until_sound()


@pytest.fixture
def sane(running: Deployment, fake: FakeModelServer) -> FakeModelServer:
    fake.answering = {}
    running.wait_until_sound()
    return fake


_pages = itertools.count()


def fresh_page() -> dict[str, Any]:
    """A request whose query nobody asked for before."""
    number = next(_pages)
    return {"user_id": f"U{number % USERS}", "surface": "product", "item_ids": [f"I{(number * 17) % FIRST.items:06d}"], "k": 8}


def is_full(answer: dict[str, Any]) -> bool:
    """Whether it has every item that was asked for, each with a number as its score."""
    listed = answer["recommendations"]
    return len(listed) == 8 and all(isinstance(item["score"], float) and np.isfinite(item["score"]) for item in listed)


@pytest.mark.parametrize("garbage", [*GARBAGE, *OF_ENCODER])
def test_garbage_for_a_query_is_no_query(running: Deployment, sane: FakeModelServer, garbage: str) -> None:
    sane.answering = {"encode_query": (GARBAGE | OF_ENCODER)[garbage]}
    answers = [running.predict(fresh_page())[0] for _ in range(3)]
    assert all(map(is_full, answers)), answers
    assert [answer["degraded"] for answer in answers] == [["query", "rank"]] * 3


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_for_probabilities_is_no_ranking(running: Deployment, sane: FakeModelServer, garbage: str) -> None:
    sane.answering = {"rank": GARBAGE[garbage]}
    answers = [running.predict(fresh_page())[0] for _ in range(3)]
    assert all(map(is_full, answers)), answers
    assert [answer["degraded"] for answer in answers] == [["rank"]] * 3


@pytest.mark.parametrize("number", [-1.0, -0.0, 1e30, 3e38, -3e38])
def test_numbers_that_are_no_probabilities_do_no_harm(running: Deployment, sane: FakeModelServer, number: float) -> None:
    sane.answering = {"rank": each_number(lambda value: np.full_like(value, number))}
    answers = [running.predict(fresh_page() | {"explain": True})[0] for _ in range(2)]
    assert all(map(is_full, answers)), answers


@pytest.mark.parametrize("number", [0.0, 1e30, 3e38])
def test_embedding_of_another_length_does_no_harm(running: Deployment, sane: FakeModelServer, number: float) -> None:
    sane.answering = {"encode_query": each_number(lambda value: np.full_like(value, number))}
    answers = [running.predict(fresh_page() | {"explain": True})[0] for _ in range(2)]
    assert all(map(is_full, answers)), answers
    (home,) = running.predict({"user_id": f"U{next(_pages) % USERS}", "context": {"device": "till"}, "k": 8})
    assert is_full(home), home
