"""Ranking examples whose labels a few of the numbers explain."""

import numpy as np

from endcap.features.columns import CONTEXT, ITEM_NUMERIC, PAIR_NUMERIC, PURCHASE_OBJECTIVES, USER_CATEGORICAL, USER_NUMERIC
from endcap_components.train_ranker.examples import RankingExamples

DIM = 4
ITEMS = 30
WINDOWS = 2
CATEGORY_SIZES = [2] * len(USER_CATEGORICAL)


def made_examples(queries: int = 240, candidates: int = 15, seed: int = 0) -> RankingExamples:
    """Half of the queries in each of two windows; what is bought follows the first pair feature and the embeddings."""
    rng = np.random.default_rng(seed)
    window = np.repeat(np.arange(WINDOWS), queries // WINDOWS)
    count = queries * candidates
    item_row = (np.repeat(window, candidates) * (ITEMS + 1) + rng.integers(1, ITEMS + 1, count)).astype(np.int32)
    query_embedding = rng.normal(size=(queries, DIM)).astype(np.float32)
    item_embedding = rng.normal(size=(WINDOWS * (ITEMS + 1), DIM)).astype(np.float32)
    pair_numeric = rng.normal(size=(count, len(PAIR_NUMERIC))).astype(np.float32)
    near = (np.repeat(query_embedding, candidates, axis=0) * item_embedding[item_row]).sum(axis=1)
    chance = 1 / (1 + np.exp(-(1.5 * pair_numeric[:, 0] + near - 2)))
    bought = rng.random(count) < chance
    again = bought & (rng.random(count) < 0.5)
    return RankingExamples(
        user=np.arange(queries, dtype=np.int64) % (queries // WINDOWS),
        query_embedding=query_embedding,
        user_numeric=rng.normal(size=(queries, len(USER_NUMERIC))).astype(np.float32),
        user_categories=rng.integers(0, 2, (queries, len(USER_CATEGORICAL))).astype(np.int32),
        context=np.ones((queries, len(CONTEXT)), dtype=np.int32),
        start=np.arange(0, count + 1, candidates, dtype=np.int64),
        item_row=item_row,
        pair_numeric=pair_numeric,
        objectives=PURCHASE_OBJECTIVES,
        labels=np.stack([bought, again], axis=1).astype(np.float32)[:, : len(PURCHASE_OBJECTIVES)],
        weight=np.ones(count, dtype=np.float32),
        is_new=rng.random(count) < 0.5,
        held_out=np.arange(queries) % (queries // WINDOWS) < queries // WINDOWS // 5,
        item_numeric=rng.normal(size=(len(item_embedding), len(ITEM_NUMERIC))).astype(np.float32),
        item_embedding=item_embedding,
    )
