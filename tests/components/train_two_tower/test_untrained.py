"""In the place of an untrained two-tower everybody's nearest items are those bought most."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.training.tensorflow_setup import prepare_tensorflow

prepare_tensorflow(1)

from endcap_components.train_two_tower.untrained import DIM, popularity_embeddings  # noqa: E402

pytestmark = pytest.mark.training


@given(bought=st.lists(st.integers(0, 50), min_size=1, max_size=300))
def test_the_query_meets_items_in_the_order_of_their_purchases(bought: list[int]) -> None:
    counts = np.array([0, *bought], dtype=np.int64)
    embeddings = popularity_embeddings(counts)
    assert not embeddings[0].any()
    np.testing.assert_allclose(np.linalg.norm(embeddings[1:], axis=1), 1.0, rtol=1e-5)
    nearest = np.argsort(-embeddings[1:] @ np.eye(1, DIM)[0], kind="stable") + 1
    assert np.all(np.diff(counts[nearest]) <= 0)


@pytest.mark.parametrize("items", [1, 2, 100_000])
def test_no_two_items_are_equally_near(items: int) -> None:
    embeddings = popularity_embeddings(np.zeros(items + 1, dtype=np.int64))
    assert len(np.unique(embeddings[1:, 0])) == items
