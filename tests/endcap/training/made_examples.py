"""Examples without meaning, and shards of them: each example carries its own number, so that tests see where it went."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from endcap.features.columns import CONTEXT, HISTORY_LENGTH, USER_CATEGORICAL, USER_NUMERIC
from endcap.training.example_shards import ExampleShards, ExampleShardWriter
from endcap.training.retrieval_examples import RetrievalExamples

ITEMS = 30


def made_examples(numbers: Sequence[int], seed: int = 0) -> RetrievalExamples:
    """One example for each number, which stands at the end of its history; none to three targets and items bought before."""
    rng = np.random.default_rng(seed)
    size = len(numbers)
    history = np.zeros((size, HISTORY_LENGTH), dtype=np.int32)
    history[:, -1] = numbers
    targets, bought = (np.concatenate([[0], np.cumsum(rng.integers(0, 4, size))]).astype(np.int64) for _ in range(2))
    return RetrievalExamples(
        history=history,
        history_age_days=rng.random((size, HISTORY_LENGTH)).astype(np.float32),
        user_numeric=rng.normal(size=(size, len(USER_NUMERIC))).astype(np.float32),
        user_categories=rng.integers(0, 3, (size, len(USER_CATEGORICAL))).astype(np.int32),
        context=rng.integers(0, 5, (size, len(CONTEXT))).astype(np.int32),
        target_start=targets,
        target_index=rng.integers(1, ITEMS + 1, targets[-1]).astype(np.int32),
        target_is_new=rng.random(targets[-1]) < 0.5,
        bought_start=bought,
        bought_index=rng.integers(1, ITEMS + 1, bought[-1]).astype(np.int32),
    )


def numbers_of(examples: RetrievalExamples) -> list[int]:
    """The examples' own numbers."""
    return [int(number) for number in examples.history[:, -1]]


def made_shards(folder: Path, sizes: Sequence[Sequence[int]]) -> ExampleShards:
    """Shards of the sizes given for each snapshot; examples are numbered from 1 through all of them."""
    writer = ExampleShardWriter(folder, ITEMS)
    number = 1
    for snapshot, parts in enumerate(sizes):
        for part, size in enumerate(parts):
            writer.write(made_examples(range(number, number + size), seed=number), snapshot, part)
            number += size
    writer.close()
    return ExampleShards.of(folder)
