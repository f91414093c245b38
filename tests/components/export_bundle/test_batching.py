"""Requests joined inside the graph: the same answers as alone, and nobody waits once a batch is full."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from endcap.core.errors import InvalidInput
from endcap_components.export_bundle.batching import Batching
from endcap_components.export_bundle.joined_signatures import allowed_sizes
from endcap_components.export_bundle.saved_model import export_saved_model
from tests.components.export_bundle.made_tower import Tower

HALF_AN_HOUR_MS = 1_800_000.0
DEADLINE_S = 60.0


class Ranker(tf.Module):
    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 2], tf.float32, "user_numeric"),
            tf.TensorSpec([None], tf.int32, "query_row"),
            tf.TensorSpec([None, 3], tf.float32, "pair_numeric"),
        ]
    )
    def rank(self, user_numeric: tf.Tensor, query_row: tf.Tensor, pair_numeric: tf.Tensor) -> dict[str, tf.Tensor]:
        score = tf.sigmoid(tf.reduce_sum(pair_numeric, axis=1) + tf.reduce_sum(tf.gather(user_numeric, query_row), axis=1))
        return {"buy_again": score / 2, "buy": score}


@pytest.fixture
def exported(tmp_path: Path) -> Callable[..., Any]:
    """Signatures of a merged model, with or without batching, as they are after a SavedModel was written and loaded."""
    tower, ranker = Tower(), Ranker()
    tf.saved_model.save(tower, str(tmp_path / "tower"), signatures={"encode_query": tower.encode_query})
    tf.saved_model.save(ranker, str(tmp_path / "ranker"), signatures={"rank": ranker.rank})

    def export(**batching: Any) -> Any:
        folder = tmp_path / f"merged-{len(batching)}"
        export_saved_model(tmp_path / "tower", tmp_path / "ranker", "endcap_7", folder, Batching.of(batching))
        return tf.saved_model.load(str(folder))

    return export


def a_query(seed: int) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    return {
        "user_numeric": tf.constant(random.random((1, 2), dtype=np.float32)),
        "context": tf.constant(random.integers(0, 3, (1, 5)), tf.int32),
    }


def a_list(seed: int, candidates: int, queries: int = 1) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(seed)
    return {
        "user_numeric": tf.constant(random.random((queries, 2), dtype=np.float32)),
        "query_row": tf.constant(random.integers(0, queries, candidates), tf.int32),
        "pair_numeric": tf.constant(random.standard_normal((candidates, 3)).astype(np.float32)),
    }


def test_full_batches_do_not_wait_and_everybody_gets_the_own_answer(exported: Callable[..., Any]) -> None:
    alone = exported()
    joined = exported(queries_max=4, candidates_max=32, wait_ms=HALF_AN_HOUR_MS)
    queries, lists = [a_query(seed) for seed in range(4)], [a_list(seed, candidates=8) for seed in range(4)]
    with ThreadPoolExecutor(4) as callers:
        encoded = list(callers.map(lambda query: joined.signatures["encode_query"](**query), queries, timeout=DEADLINE_S))
        ranked = list(callers.map(lambda asked: joined.signatures["rank"](**asked), lists, timeout=DEADLINE_S))
    for query, answer in zip(queries, encoded, strict=True):
        np.testing.assert_allclose(answer["embedding"], alone.signatures["encode_query"](**query)["embedding"], rtol=1e-6)
        assert answer["collection"].numpy().tolist() == [b"endcap_7"]
    for asked, answer in zip(lists, ranked, strict=True):
        expected = alone.signatures["rank"](**asked)
        assert set(answer) == set(expected) == {"buy", "buy_again"}
        for objective, values in expected.items():
            np.testing.assert_allclose(answer[objective], values, rtol=1e-6)


@pytest.mark.parametrize(("candidates", "queries"), [(1, 1), (33, 1), (100, 3)])
def test_a_list_larger_than_a_batch_or_of_several_queries_is_whole(exported: Callable[..., Any], candidates: int, queries: int) -> None:
    asked = a_list(0, candidates, queries)
    expected = exported().signatures["rank"](**asked)
    answer = exported(queries_max=4, candidates_max=32, wait_ms=0.1).signatures["rank"](**asked)
    assert answer["buy"].shape == (candidates,)
    np.testing.assert_allclose(answer["buy"], expected["buy"], rtol=1e-6)


def test_sizes_double_up_to_the_largest() -> None:
    assert allowed_sizes(8192) == [256, 512, 1024, 2048, 4096, 8192]
    assert allowed_sizes(3) == [1, 3]


def test_nothing_given_is_no_batching_and_unknown_names_are_refused() -> None:
    assert Batching.of({}) is None
    with pytest.raises(InvalidInput, match=r"batching\.queries"):
        Batching.of({"queries": 3})
