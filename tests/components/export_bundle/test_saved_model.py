"""One SavedModel out of two: same answers, and the collection's name with every query."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import tensorflow as tf
from structlog.testing import capture_logs

from endcap.contracts.evaluation import Calibration, Ordering
from endcap.core.errors import BundleInvalid
from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap_components.evaluate.simple_orders import method_signature
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.saved_model import WARM_UP_FILE, export_saved_model, write_warm_up
from tests.components.export_bundle.made_tower import Tower


class Ranker(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bias = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "pair_numeric")])
    def rank(self, pair_numeric: tf.Tensor) -> dict[str, tf.Tensor]:
        score = tf.sigmoid(tf.reduce_sum(pair_numeric, axis=1) + self.bias)
        return {"buy": score, "buy_again": score / 2}


class WholeRanker(tf.Module):
    """Takes what a method reads as well."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = tf.Variable(0.5)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, len(ITEM_NUMERIC)], tf.float32, "item_numeric"),
            tf.TensorSpec([None, len(PAIR_NUMERIC)], tf.float32, "pair_numeric"),
            tf.TensorSpec([None], tf.int32, "query_row"),
        ]
    )
    def rank(self, item_numeric: tf.Tensor, pair_numeric: tf.Tensor, query_row: tf.Tensor) -> dict[str, tf.Tensor]:
        score = tf.sigmoid(tf.reduce_sum(pair_numeric, axis=1) + tf.reduce_sum(item_numeric, axis=1) + self.bias)
        return {"buy": score + 0.0 * tf.cast(query_row, tf.float32), "buy_again": score / 2}


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


def test_a_method_answers_in_the_rankers_place_under_its_names(models: tuple[Path, Path], tmp_path: Path) -> None:
    calibration = {"buy": Calibration(slope=1.0, offset=-2.0), "buy_again": Calibration(slope=1.0, offset=-4.0)}
    ordering = Ordering(ordered_by="own_decayed", reason="", calibration=calibration)
    ranker = WholeRanker()
    tf.saved_model.save(ranker, str(tmp_path / "whole"), signatures={"rank": ranker.rank})
    export_saved_model(models[0], tmp_path / "whole", "endcap_7", tmp_path / "merged", Batching(), ordering=ordering)
    merged = tf.saved_model.load(str(tmp_path / "merged"))
    pair = np.zeros((4, len(PAIR_NUMERIC)), np.float32)
    pair[:, PAIR_NUMERIC.index("decayed_60d")] = [0, 0.5, 2.5, 0]
    item = np.zeros((4, len(ITEM_NUMERIC)), np.float32)
    item[:, ITEM_NUMERIC.index("purchases_28d")] = [3, 0, 0, 8]
    inputs = {"item_numeric": tf.constant(item), "pair_numeric": tf.constant(pair), "query_row": tf.zeros(4, tf.int32)}
    ranked = merged.signatures["rank"](**inputs)
    assert np.argsort(-ranked["buy"].numpy()).tolist() == [2, 1, 3, 0]
    assert set(ranked) == {"buy", "buy_again"} and (ranked["buy"].numpy() > ranked["buy_again"].numpy()).all()
    expected = method_signature("own_decayed", calibration)(**inputs)
    np.testing.assert_allclose(ranked["buy"], expected["buy"], rtol=1e-6)
    assert not any("bias" in each.name for each in merged.signatures["rank"].variables)


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
