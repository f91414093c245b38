"""Requests that TensorFlow Serving answers before it takes traffic, so that nobody waits for the first graph run."""

from pathlib import Path

import numpy as np
import tensorflow as tf

from endcap.contracts.signatures import ENCODE_QUERY, RANK
from endcap.core.log import get_logger

WARM_UP_FILE = "assets.extra/tf_serving_warmup_requests"
CANDIDATES = 1000


def write_warm_up(folder: Path, model_name: str) -> None:
    """Write one zero-filled request a signature; left out where the packages of TensorFlow Serving's API are not installed.

    Args:
        folder: a bundle with its SavedModel.
        model_name: under which TensorFlow Serving serves it.
    """
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "tensorflow_serving":
            raise
        get_logger("export_bundle").info("no warm-up requests: the packages of TensorFlow Serving's API are not installed")
        return
    signatures = tf.saved_model.load(str(folder)).signatures
    path = folder / WARM_UP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name in (ENCODE_QUERY, RANK):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model_name
            request.model_spec.signature_name = name
            for key, spec in signatures[name].structured_input_signature[1].items():
                request.inputs[key].CopyFrom(tf.make_tensor_proto(zeros_of(key, spec, name)))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())


def zeros_of(key: str, spec: tf.TensorSpec, signature: str) -> np.ndarray:
    """One query's input, or for `rank` CANDIDATES rows where it has one a candidate, all zeros."""
    per_candidate = signature == RANK and key in ("query_row", "item_index", "item_numeric", "pair_numeric")
    rows = CANDIDATES if per_candidate else 1
    return np.zeros([rows if size is None else size for size in spec.shape], dtype=spec.dtype.as_numpy_dtype)
