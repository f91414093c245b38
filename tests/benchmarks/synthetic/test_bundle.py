"""The synthetic bundle follows the contracts that real bundles follow."""

import numpy as np

from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.engine.retrieval.user_state import user_state
from endcap.features.columns import HISTORY_LENGTH
from endcap_benchmarks.synthetic.bundle import DATA_END, SyntheticSize, make_feature_row, make_items, make_tables

SIZE = SyntheticSize(items=200, dim=8)


def test_items_have_the_contracts_columns() -> None:
    assert make_items(SIZE).columns == arrow_schema(Item).names


def test_embeddings_have_unit_length_and_padding_is_zero() -> None:
    embeddings = make_tables(SIZE).item_embeddings
    assert embeddings.shape == (201, 8)
    assert not embeddings[0].any()
    np.testing.assert_allclose(np.linalg.norm(embeddings[1:], axis=1), 1, atol=1e-5)


def test_a_feature_row_becomes_a_user_state_and_is_repeatable() -> None:
    tables = make_tables(SIZE)
    row = make_feature_row("U5", SIZE, pairs=100)
    assert row == make_feature_row("U5", SIZE, pairs=100)
    state = user_state(row, tables.items, tables.user_vocabularies, DATA_END)
    assert len(state.pair_index) == 100
    assert len(state.history) == HISTORY_LENGTH
