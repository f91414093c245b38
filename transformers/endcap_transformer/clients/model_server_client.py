"""A client of TensorFlow Serving's gRPC API: arrays in, arrays out."""

from collections.abc import Mapping
from typing import Any, Protocol

import grpc
import grpc.aio
import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import CallRefused, DependencyUnavailable, InvalidInput
from endcap.core.polling import poll_async
from endcap.core.settings import ModelServerSettings
from endcap.core.tensorflow_serving.messages import GET_MODEL_STATUS, PREDICT, ServingMessages
from endcap.core.tensorflow_serving.tensors import fill_tensor, read_tensor
from endcap_transformer.telemetry.tracing import current_trace

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
RECONNECT_MS_MAX = 500
POLL_SECONDS = 0.2
STATE_AVAILABLE = 30
OF_THE_CALL = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE)
"""What the server answers to inputs that it cannot run."""
SERVICE = "tensorflow.serving.PredictionService"


class PredictCall(Protocol):
    """Runs signatures of a bundle's SavedModel."""

    async def predict(self, signature: str, version: int, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one signature of one version."""


class ModelServerClient:
    """One channel to TensorFlow Serving; made inside the running event loop.

    Args:
        messages: TensorFlow Serving's messages.
        settings: where it listens.
        model_name: the model's name there.
    """

    def __init__(self, messages: ServingMessages, settings: ModelServerSettings, model_name: str) -> None:
        self.address = f"{settings.host}:{settings.port}"
        self._messages = messages
        self._model_name = model_name
        self._channel = grpc.aio.insecure_channel(
            self.address,
            options=[
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
                ("grpc.initial_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", RECONNECT_MS_MAX),
                ("grpc.use_local_subchannel_pool", 1),
            ],
        )
        self._predict = self._channel.unary_unary(PREDICT, messages.predict_request.SerializeToString, messages.predict_response.FromString)
        self._model_status = self._channel.unary_unary(
            GET_MODEL_STATUS, messages.status_request.SerializeToString, messages.status_response.FromString
        )

    async def predict(self, signature: str, version: int, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run one signature of one version.

        Raises:
            DependencyUnavailable: the server does not answer, or does not serve the version.
            CallRefused: it refuses these inputs.
        """
        request = self._messages.predict_request()
        request.model_spec.name = self._model_name
        request.model_spec.version.value = version
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            fill_tensor(request.inputs[name], array)
        with current_trace().call(SERVICE, "Predict", self.address) as call:
            try:
                response = await self._predict(request, metadata=call.grpc_metadata())
                return {name: read_tensor(tensor, name) for name, tensor in response.outputs.items()}
            except grpc.aio.AioRpcError as error:
                kind = CallRefused if error.code() in OF_THE_CALL else DependencyUnavailable
                raise kind(f"{error.code().name}: {error.details()}", field=f"model server {self.address}") from error
            except InvalidInput as error:
                raise DependencyUnavailable(f"the answer cannot be read: {error}", field=f"model server {self.address}") from error

    async def wait_until_available(self, version: int, timeout_s: float) -> None:
        """Return when the server has loaded a version.

        Raises:
            DependencyUnavailable: it has not within `timeout_s`.
        """
        why = await poll_async(
            lambda: self.why_unavailable(version), every_s=POLL_SECONDS, within_s=timeout_s, is_there=lambda why: not why
        )
        if why:
            raise DependencyUnavailable(
                f"the model server does not serve version {version}: {why}",
                field="ENDCAP_MODEL_SERVER__HOST, ENDCAP_MODEL_SERVER__PORT",
                value=self.address,
                fix="start it: `python -m endcap_model_server`, or `endcap serve` for all parts",
            )

    async def why_unavailable(self, version: int) -> str:
        """Why the server cannot answer with a version; empty when it has loaded it."""
        request = self._messages.status_request()
        request.model_spec.name = self._model_name
        request.model_spec.version.value = version
        try:
            response = await self._model_status(request, timeout=2.0)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        return "" if any(status.state == STATE_AVAILABLE for status in response.model_version_status) else "it is not loaded"

    async def close(self) -> None:
        await self._channel.close()


def checked(outputs: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """One output as float32 of a shape.

    Raises:
        DependencyUnavailable: it is missing, of another shape or type, or holds what is no number.
    """
    values = outputs.get(name)
    if values is None or values.shape != shape or values.dtype != np.float32 or not np.isfinite(values).all():
        got = "nothing" if values is None else f"{values.dtype} {list(values.shape)}"
        raise DependencyUnavailable(f"the model server must answer finite float32 {list(shape)}", field=name, value=got)
    return values


def text(outputs: Mapping[str, NDArray[Any]], name: str) -> str:
    """The first string of a string output.

    Raises:
        DependencyUnavailable: there is none.
    """
    try:
        return bytes(np.ravel(outputs[name])[0]).decode()
    except (KeyError, IndexError, TypeError, UnicodeDecodeError) as error:
        raise DependencyUnavailable("the model server must answer a text", field=name) from error
