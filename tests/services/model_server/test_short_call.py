"""The short way is taken only where it is there and gives the same; the long one is, and says so."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from structlog.testing import capture_logs

from endcap_model_server.short_call import short_call

EXAMPLE = {"x": np.array([1.0, 2.0], dtype=np.float32)}


class Doubling(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def double(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 2 * x}


def test_a_tensorflow_with_the_short_way_gives_the_same(tmp_path: Path) -> None:
    module = Doubling()
    tf.saved_model.save(module, str(tmp_path), signatures={"double": module.double})
    with capture_logs() as lines:
        call = short_call(tf.saved_model.load(str(tmp_path)).signatures["double"], EXAMPLE)
    assert call({"x": tf.constant([3.0])})["y"].numpy().tolist() == [6.0]
    assert lines == [] and call.__name__ == "short"


def test_a_tensorflow_without_the_short_way_goes_the_long_one_and_says_so() -> None:
    def without(**tensors: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": 2 * tensors["x"]}

    with capture_logs() as lines:
        call = short_call(without, EXAMPLE)
    assert call({"x": tf.constant([3.0])})["y"].numpy().tolist() == [6.0]
    assert [line["event"] for line in lines] == ["calls go the long way"] and "AttributeError" in lines[0]["cause"]
