"""TensorFlow Serving's messages and stubs without TensorFlow.

`tensorflow_serving.apis` needs the protocol messages inside the tensorflow package, and importing any of them runs all of TensorFlow
(0.7 GB of memory and many seconds). A client only needs the messages, so they are imported through a package object that has
tensorflow's path but has run none of its code. A real `import tensorflow` later in the same process works as ever.
"""

import importlib.util
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from endcap.errors import DependencyUnavailable


@dataclass(frozen=True)
class ServingMessages:
    """The modules that a client of TensorFlow Serving speaks with."""

    predict: Any
    prediction_service: Any
    model_status: Any
    model_service: Any
    tensor: Any


def serving_messages() -> ServingMessages:
    """Import the messages and gRPC stubs of TensorFlow Serving.

    Raises:
        DependencyUnavailable: tensorflow or tensorflow-serving-api is not installed.
    """
    with _without_running_tensorflow():
        from tensorflow.core.framework import tensor_pb2
        from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc
    return ServingMessages(
        predict=predict_pb2,
        prediction_service=prediction_service_pb2_grpc,
        model_status=get_model_status_pb2,
        model_service=model_service_pb2_grpc,
        tensor=tensor_pb2,
    )


@contextmanager
def _without_running_tensorflow() -> Iterator[None]:
    if "tensorflow" in sys.modules:
        yield
        return
    found = importlib.util.find_spec("tensorflow")
    if found is None or found.submodule_search_locations is None:
        raise DependencyUnavailable(
            "TensorFlow's messages are not installed", field="tensorflow", fix='pip install "endcap[transformer]" tensorflow'
        )
    hollow = types.ModuleType("tensorflow")
    hollow.__path__ = list(found.submodule_search_locations)
    sys.modules["tensorflow"] = hollow
    try:
        yield
    finally:
        del sys.modules["tensorflow"]
