"""Smaller number formats: answers within bounds, smaller files, the same signatures, and a refusal where it does not hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.precision import Precision
from endcap_components.export_bundle.saved_model import export_saved_model
from tests.properties import examples

ITEMS, DIM, HIDDEN = 400, 16, 32
REDUCED = [each for each in Precision if each is not Precision.FLOAT32]
EMBEDDING_ATOL = {"float16": 2e-3, "bfloat16": 2e-2, "int8": 3e-2}


class Tower(tf.Module):
    """A look-up by row, a kernel, and a table that is both looked up and multiplied with."""

    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(0)
        self.identity = tf.Variable(random.normal(size=(ITEMS, DIM)).astype(np.float32))
        self.kernel = tf.Variable(random.normal(size=(DIM, DIM)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 5], tf.int32, "history"), tf.TensorSpec([None, DIM], tf.float32, "user_numeric")])
    def encode_query(self, history: tf.Tensor, user_numeric: tf.Tensor) -> dict[str, tf.Tensor]:
        pooled = tf.reduce_mean(tf.gather(self.identity, history), axis=1) + tf.gather(self.kernel, history[:, 0] % DIM)
        return {"embedding": tf.math.l2_normalize(pooled @ self.kernel + user_numeric, axis=1)}


class Ranker(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        random = np.random.default_rng(1)
        self.items = tf.Variable(random.normal(size=(ITEMS, DIM)).astype(np.float32))
        self.hidden = tf.Variable(random.normal(size=(DIM, HIDDEN)).astype(np.float32) / 4)
        self.bias = tf.Variable(np.linspace(-1, 1, HIDDEN, dtype=np.float32))

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, DIM], tf.float32, "query_embedding"),
            tf.TensorSpec([None], tf.int32, "query_row"),
            tf.TensorSpec([None], tf.int32, "item_index"),
        ]
    )
    def rank(self, query_embedding: tf.Tensor, query_row: tf.Tensor, item_index: tf.Tensor) -> dict[str, tf.Tensor]:
        item = tf.gather(self.items, item_index)
        hidden = tf.nn.relu(item @ self.hidden + self.bias)
        score = tf.sigmoid(tf.reduce_mean(hidden, axis=1) + tf.reduce_sum(item * tf.gather(query_embedding, query_row), axis=1))
        return {"buy_again": score / 2, "buy": score}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, tower, ranker = tmp_path_factory.mktemp("trained"), Tower(), Ranker()
    tf.saved_model.save(tower, str(folder / "tower"), signatures={"encode_query": tower.encode_query})
    tf.saved_model.save(ranker, str(folder / "ranker"), signatures={"rank": ranker.rank})
    return folder / "tower", folder / "ranker"


def asked(model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    random = np.random.default_rng(2)
    history, numeric = random.integers(0, ITEMS, (7, 5)), random.normal(size=(7, DIM))
    encoded = model.signatures["encode_query"](history=tf.constant(history, tf.int32), user_numeric=tf.constant(numeric, tf.float32))
    row, index = (tf.constant(random.integers(0, most, 50), tf.int32) for most in (7, ITEMS))
    query = encoded["embedding"]
    return encoded, model.signatures["rank"](query_embedding=query, query_row=row, item_index=index)


def stored_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "variables").iterdir())


@pytest.mark.parametrize("precision", REDUCED)
def test_a_smaller_format_answers_nearly_the_same_from_smaller_files(
    trained: tuple[Path, Path], tmp_path: Path, precision: Precision
) -> None:
    export_saved_model(*trained, "endcap_7", tmp_path / "full")
    export_saved_model(*trained, "endcap_7", tmp_path / "small", precision=precision)
    full, small = (tf.saved_model.load(str(tmp_path / name)) for name in ("full", "small"))
    (encoded, ranked), (encoded_small, ranked_small) = asked(full), asked(small)
    tolerance = EMBEDDING_ATOL[precision]
    np.testing.assert_allclose(encoded_small["embedding"], encoded["embedding"], atol=tolerance)
    np.testing.assert_allclose(np.linalg.norm(encoded_small["embedding"], axis=1), 1, rtol=1e-5)
    assert encoded_small["collection"].numpy().tolist() == [b"endcap_7"]
    for name in ("buy", "buy_again"):
        np.testing.assert_allclose(ranked_small[name], ranked[name], atol=tolerance)
        assert ranked_small[name].dtype == tf.float32
    share = {"int8": 0.45, "float16": 0.6, "bfloat16": 0.6}[precision]
    assert stored_bytes(tmp_path / "small") < share * stored_bytes(tmp_path / "full")


def test_signatures_do_not_change(trained: tuple[Path, Path], tmp_path: Path) -> None:
    export_saved_model(*trained, "endcap_7", tmp_path / "full")
    export_saved_model(*trained, "endcap_7", tmp_path / "small", precision=Precision.INT8)
    full, small = (tf.saved_model.load(str(tmp_path / name)).signatures for name in ("full", "small"))
    for name in ("encode_query", "rank"):
        assert small[name].structured_input_signature == full[name].structured_input_signature
        assert set(small[name].structured_outputs) == set(full[name].structured_outputs)


def test_requests_are_joined_in_a_smaller_format_too(trained: tuple[Path, Path], tmp_path: Path) -> None:
    export_saved_model(*trained, "endcap_7", tmp_path / "alone", precision=Precision.FLOAT16)
    export_saved_model(
        *trained, "endcap_7", tmp_path / "joined", Batching.of({"queries_max": 8, "wait_ms": 0.1}), precision=Precision.FLOAT16
    )
    alone, joined = (tf.saved_model.load(str(tmp_path / name)) for name in ("alone", "joined"))
    (encoded, ranked), (encoded_joined, ranked_joined) = asked(alone), asked(joined)
    np.testing.assert_allclose(encoded_joined["embedding"], encoded["embedding"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ranked_joined["buy"], ranked["buy"], rtol=1e-4, atol=1e-6)


def test_a_weight_that_the_type_cannot_hold_is_refused_by_name(trained: tuple[Path, Path], tmp_path: Path) -> None:
    huge = Tower()
    huge.kernel.assign(huge.kernel * 1e6)
    tf.saved_model.save(huge, str(tmp_path / "huge"), signatures={"encode_query": huge.encode_query})
    with pytest.raises(InvalidInput, match="a weight does not fit; got 'float16'"):
        export_saved_model(tmp_path / "huge", trained[1], "endcap_7", tmp_path / "small", precision=Precision.FLOAT16)


@examples(30)
@given(seed=st.integers(0, 1000), spread=st.floats(1e-4, 1e3), axis=st.sampled_from([0, -1]))
def test_int8_is_off_by_half_a_step_at_most(seed: int, spread: float, axis: int) -> None:
    weights = (np.random.default_rng(seed).normal(size=(20, 6)) * spread).astype(np.float32)
    stored = Precision.INT8.store(weights, axis)
    step = np.abs(weights).max(axis=axis, keepdims=True) / 127
    assert stored.values.dtype == np.int8
    assert (np.abs(stored.restored() - weights) <= 0.501 * step).all()


def test_a_row_of_zeros_stays_zero() -> None:
    assert (Precision.INT8.store(np.zeros((2, 3), np.float32), -1).restored() == 0).all()
