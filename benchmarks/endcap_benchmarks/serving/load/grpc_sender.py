"""Open Inference Protocol V2 over gRPC: messages serialised before, answers parsed after the stretch is over."""

import json
from collections.abc import Sequence
from typing import Any

import grpc
import grpc.aio
from kserve.protocol.grpc import grpc_predict_v2_pb2 as messages

from endcap_benchmarks.serving.load.http_sender import RawAnswer

METHOD = "/inference.GRPCInferenceService/ModelInfer"
TEXT = ("user_id", "session_id", "surface")
STATUS = {grpc.StatusCode.RESOURCE_EXHAUSTED: 429, grpc.StatusCode.UNAVAILABLE: 503, grpc.StatusCode.INVALID_ARGUMENT: 400}
TIMEOUT_SECONDS = 30.0


class GrpcSender:
    """Sends prepared requests over a few channels.

    Args:
        port: on 127.0.0.1.
        model: the model's name.
    """

    def __init__(self, port: int, model: str) -> None:
        self._address = f"127.0.0.1:{port}"
        self._model = model

    def prepared(self, instance: dict[str, Any]) -> bytes:
        return bytes(model_infer(self._model, instance).SerializeToString())

    async def open(self, connections: int) -> None:  # noqa: ARG002 - one channel carries any number of calls
        self._channel = grpc.aio.insecure_channel(self._address, options=[("grpc.max_receive_message_length", -1)])
        self._call = self._channel.unary_unary(METHOD, request_serializer=None, response_deserializer=None)
        await self._channel.channel_ready()

    async def send(self, request: bytes) -> RawAnswer:
        call = self._call(request, timeout=TIMEOUT_SECONDS)
        try:
            return RawAnswer(200, b"", await call)
        except grpc.aio.AioRpcError as error:
            trailer = " ".join(key for key, _ in error.trailing_metadata() or ())
            return RawAnswer(STATUS.get(error.code(), 500), trailer.encode(), (error.details() or "").encode())

    async def close(self) -> None:
        await self._channel.close()


def model_infer(model: str, instance: dict[str, Any]) -> Any:
    """One instance as a ModelInferRequest, one tensor a field."""
    request = messages.ModelInferRequest(model_name=model)
    for name, value in instance.items():
        if name == "k":
            request.inputs.add(name=name, datatype="INT64", shape=[1]).contents.int64_contents.append(value)
        else:
            text = value if name in TEXT else json.dumps(value)
            request.inputs.add(name=name, datatype="BYTES", shape=[1]).contents.bytes_contents.append(text.encode())
    return request


def raw_lists(answer: RawAnswer) -> Sequence[dict[str, Any]]:
    """The answers of a V2 response."""
    response = messages.ModelInferResponse.FromString(answer.body)
    place = next(place for place, output in enumerate(response.outputs) if output.name == "answer")
    if response.raw_output_contents:
        raw = response.raw_output_contents[place]
        return [json.loads(raw[4:])]
    return [json.loads(content) for content in response.outputs[place].contents.bytes_contents]
