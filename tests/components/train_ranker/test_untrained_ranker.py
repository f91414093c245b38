"""In the place of an untrained ranker candidates are ordered by what the sources say of them."""

from pathlib import Path

import numpy as np
import pytest

from endcap.contracts.signatures import RANK
from endcap.features.columns import CONTEXT, ITEM_NUMERIC, PAIR_NUMERIC, PURCHASE_OBJECTIVES, USER_CATEGORICAL, USER_NUMERIC
from endcap.training.scoring import load_signature
from endcap.training.tensorflow_setup import prepare_tensorflow

pytestmark = pytest.mark.training

DIM = 4


def test_own_items_come_before_neighbours_and_those_before_popular_ones(tmp_path: Path) -> None:
    prepare_tensorflow(1)
    import tensorflow as tf

    from endcap_components.train_ranker.untrained import export_untrained_ranker

    export_untrained_ranker(DIM, str(tmp_path / "saved_model"))
    told = ({"decayed_60d": 1.0}, {"item_to_item_score": 0.8}, {"popular_score": 0.8}, {})
    pairs = np.zeros((len(told), len(PAIR_NUMERIC)), dtype=np.float32)
    for row, values in enumerate(told):
        for name, value in values.items():
            pairs[row, PAIR_NUMERIC.index(name)] = value
    count = len(told)
    outputs = load_signature(tmp_path / "saved_model", RANK)(
        query_embedding=tf.zeros([1, DIM]),
        user_numeric=tf.zeros([1, len(USER_NUMERIC)]),
        user_categories=tf.zeros([1, len(USER_CATEGORICAL)], tf.int32),
        context=tf.zeros([1, len(CONTEXT)], tf.int32),
        query_row=tf.zeros([count], tf.int32),
        item_index=tf.range(count),
        item_numeric=tf.zeros([count, len(ITEM_NUMERIC)]),
        pair_numeric=tf.constant(pairs),
    )
    assert set(outputs) == set(PURCHASE_OBJECTIVES)
    for name in PURCHASE_OBJECTIVES:
        scores = outputs[name].numpy()
        assert np.all(np.diff(scores) < 0)
        assert np.all((scores > 0) & (scores < 1))
