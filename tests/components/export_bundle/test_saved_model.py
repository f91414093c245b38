"""One SavedModel out of two: same answers, and the collection's name with every query."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf
from structlog.testing import capture_logs

from endcap.core.errors import BundleInvalid
from endcap_components.export_bundle.saved_model import export_saved_model
from endcap_components.export_bundle.warm_up import WARM_UP_FILE, write_warm_up
from tests.components.export_bundle.made_tower import Tower


class Ranker(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "pair_numeric")])
    def rank(self, pair_numeric: tf.Tensor) -> dict[str, tf.Tensor]:
        score = tf.sigmoid(tf.reduce_sum(pair_numeric, axis=1) + self.bias)
        return {"buy": score, "buy_again": score / 2}


@pytest.fixture
def models(tmp_path: Path) -> tuple[Path, Path]:
    tower, ranker = Tower(), Ranker()
    tf.saved_model.save(tower, str(tmp_path / "tower"), signatures={"encode_query": tower.encode_query})
    tf.saved_model.save(ranker, str(tmp_path / "ranker"), signatures={"rank": ranker.rank})
    return tmp_path / "tower", tmp_path / "ranker"


def test_the_merged_model_answers_as_the_two_and_names_its_collection(models: tuple[Path, Path], tmp_path: Path) -> None:
    tower, ranker = models
    export_saved_model(tower, ranker, "endcap_7", tmp_path / "merged")
    (tmp_path / "moved").mkdir()
    merged = tf.saved_model.load(str((tmp_path / "merged").rename(tmp_path / "moved" / "7")))
    query = {"user_numeric": tf.constant([[1.0, 2.0], [3.0, 4.0]]), "context": tf.ones([2, 5], tf.int32)}
    encoded = merged.signatures["encode_query"](**query)
    expected = tf.saved_model.load(str(tower)).signatures["encode_query"](**query)["embedding"]
    np.testing.assert_array_equal(encoded["embedding"], expected)
    assert encoded["collection"].numpy().tolist() == [b"endcap_7"]
    ranked = merged.signatures["rank"](pair_numeric=tf.zeros([4, 3]))
    np.testing.assert_allclose(ranked["buy"], [1 / (1 + np.exp(-0.5))] * 4, rtol=1e-6)
    assert set(ranked) == {"buy", "buy_again"}


def test_a_model_without_its_signature_is_refused(models: tuple[Path, Path], tmp_path: Path) -> None:
    tower, ranker = models
    with pytest.raises(BundleInvalid, match="encode_query"):
        export_saved_model(ranker, tower, "endcap_7", tmp_path / "merged")


def test_warm_up_requests_fit_the_signatures(models: tuple[Path, Path], tmp_path: Path) -> None:
    from tensorflow_serving.apis import prediction_log_pb2

    export_saved_model(*models, "endcap_7", tmp_path / "merged")
    write_warm_up(tmp_path / "merged", "endcap")
    records = tf.data.TFRecordDataset(str(tmp_path / "merged" / WARM_UP_FILE))
    requests = [prediction_log_pb2.PredictionLog.FromString(each.numpy()).predict_log.request for each in records]
    assert [request.model_spec.signature_name for request in requests] == ["encode_query", "rank"]
    shape = requests[1].inputs["pair_numeric"].tensor_shape
    assert [dim.size for dim in shape.dim] == [1000, 3]


def test_without_the_packages_of_the_serving_api_there_are_no_warm_up_requests(
    models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_saved_model(*models, "endcap_7", tmp_path / "merged")
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    with capture_logs() as lines:
        write_warm_up(tmp_path / "merged", "endcap")
    assert not (tmp_path / "merged" / WARM_UP_FILE).exists()
    assert [line["event"][:19] for line in lines] == ["no warm-up requests"]


def test_packages_of_the_serving_api_that_are_broken_are_not_taken_for_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", ModuleType("broken"))
    with pytest.raises(ImportError, match="predict_pb2"):
        write_warm_up(tmp_path, "endcap")
