"""What NCF learns from (histories of one length, and items with whether they were bought) and what it has learned, as arrays."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions


@dataclass(frozen=True)
class Batch:
    """b examples: int32 [b, l] histories, int32 [b] items, float32 [b] 1 where the item was bought."""

    history: NDArray[np.int32]
    item: NDArray[np.int32]
    label: NDArray[np.float32]


@dataclass(frozen=True)
class NcfExamples:
    """What is known of u users.

    Attributes:
        history: int32 [u, l], each user's newest distinct items, padded with 0.
        user_row: int64 [p], of distinct pairs of a user and an item.
        item_index: int32 [p].
        items: int32, what anybody bought.
        item_count: n.
    """

    history: NDArray[np.int32]
    user_row: NDArray[np.int64]
    item_index: NDArray[np.int32]
    items: NDArray[np.int32]
    item_count: int

    @classmethod
    def of(cls, interactions: Interactions, history_max: int) -> "NcfExamples":
        width = interactions.item_count + 1
        key = interactions.user_row * width + interactions.item_index
        _, from_end = np.unique(key[::-1], return_index=True)
        newest = np.sort(len(key) - 1 - from_end)
        user, item = interactions.user_row[newest], interactions.item_index[newest]
        ends = np.searchsorted(user, np.arange(interactions.users), side="right")
        place = ends[user] - 1 - np.arange(len(user))
        recent = place < history_max
        history = np.zeros((interactions.users, history_max), dtype=np.int32)
        history[user[recent], place[recent]] = item[recent]
        return cls(history, user, item, np.unique(item), interactions.item_count)

    def batches(self, rng: np.random.Generator, *, size: int, negatives: int, bought_max: int) -> Iterator[Batch]:
        """One pass in random order: pairs that were bought, each with `negatives` items drawn from all."""
        order = rng.permutation(len(self.user_row))[:bought_max]
        for start in range(0, len(order), max(1, size // (1 + negatives))):
            rows = order[start : start + max(1, size // (1 + negatives))]
            drawn = self.items[rng.integers(0, len(self.items), (negatives, len(rows)))].ravel()
            users = np.tile(self.user_row[rows], 1 + negatives)
            label = np.zeros(len(users), dtype=np.float32)
            label[: len(rows)] = 1
            yield Batch(self.history[users], np.concatenate([self.item_index[rows], drawn]), label)


@dataclass(frozen=True)
class NcfWeights:
    """What was learned, with d dimensions and h = max(d / 2, 1), q = max(d / 4, 1).

    Attributes:
        history: float32 [n + 1, 2 d], embeddings of a history's items: for the product, then for the layers; row 0 zeros.
        item: float32 [n + 1, 2 d], of the item that is scored.
        item_bias: float32 [n + 1].
        first: float32 [2 d, h] and float32 [h], over user and item side by side.
        second: float32 [h, q] and float32 [q].
        output: float32 [d + q], over product and layers.
    """

    history: NDArray[np.float32]
    item: NDArray[np.float32]
    item_bias: NDArray[np.float32]
    first: tuple[NDArray[np.float32], NDArray[np.float32]]
    second: tuple[NDArray[np.float32], NDArray[np.float32]]
    output: NDArray[np.float32]
