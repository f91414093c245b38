"""What is known of items moves their embeddings, and what is not known moves nothing."""

import numpy as np
import pytest
import tensorflow as tf

from endcap.features.columns import ITEM_NUMERIC
from endcap.training.normalisation import Standardisation
from endcap_components.train_two_tower.content import ContentBlock, ItemContent
from endcap_components.train_two_tower.window.item_tower import ItemTower

ITEMS, DIM = 6, 8


def tower(codes: np.ndarray) -> ItemTower:
    """Items 1 to ITEMS, all trained, each with a row of its own of one block's codes."""
    content = ItemContent((ContentBlock(np.arange(ITEMS + 1, dtype=np.int32), codes.astype(np.int32)),), int(codes.max()) + 1)
    numeric = Standardisation.fit(np.random.default_rng(0).random((20, len(ITEM_NUMERIC)), dtype=np.float32))
    start = np.random.default_rng(1).normal(size=(ITEMS, DIM - 1)).astype(np.float32)
    return ItemTower(DIM, np.arange(1, ITEMS + 1, dtype=np.int32), content, numeric, start=start, id_dropout=0.0)


def gradient(of: ItemTower, index: list[int]) -> np.ndarray:
    """Of the sum of identities by the attributes' embeddings, float32 [codes, DIM - 1]."""
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(of.identity(tf.constant(index, tf.int32), training=True))
    return tf.convert_to_tensor(tape.gradient(total, of.content)).numpy()


@pytest.mark.parametrize("batch", [[1, 2, 3], [4], [1, 1, 1, 6]])
def test_items_of_which_nothing_is_known_move_no_attribute(batch: list[int]) -> None:
    nothing = tower(np.zeros((ITEMS + 1, 3)))
    for _ in range(20):
        # What lies in memory that is free now must not come back as a gradient.
        spoilt = [tf.fill([rows, DIM - 1], float("nan")) for rows in (1, 2, ITEMS)]
        del spoilt
        assert (gradient(nothing, batch) == 0).all()


def test_attributes_share_what_moves_an_item() -> None:
    codes = np.zeros((ITEMS + 1, 3))
    codes[1], codes[2] = [1, 2, 0], [2, 0, 0]
    found = gradient(tower(codes), [1, 2, 3])
    np.testing.assert_allclose(found[1], 1 / np.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(found[2], 1 / np.sqrt(2) + 1, rtol=1e-6)
    assert (found[0] == 0).all()
