"""What accuracy does not show: how varied the lists are, how far from the obvious, and how much of the catalogue they reach."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.evaluation.bootstrap import Interval, Resamples, interval_of

BEYOND_ACCURACY = ("diversity", "novelty", "new_share")


def diversity(items: NDArray[np.int32], category: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of a list's pairs that differ in category (intra-list diversity; Ziegler et al., WWW 2005).

    Args:
        items: int32 [users, k], 0 where a list is shorter.
        category: int32 [n + 1], finest category by item index.

    Returns:
        float64 [users]; 0 for lists with fewer than two items.
    """
    present = items > 0
    size = present.sum(axis=1)
    codes = np.where(present, category[items], -1 - np.arange(items.shape[1]))
    same = (codes[:, :, None] == codes[:, None, :]).sum(axis=(1, 2)) - items.shape[1]
    pairs = size * (size - 1)
    shares: NDArray[np.float64] = np.divide(pairs - same, pairs, out=np.zeros(len(items)), where=pairs > 0)
    return shares


def attribute_diversity(items: NDArray[np.int32], attributes: NDArray[np.int32]) -> NDArray[np.float64]:
    """Mean distance of a list's pairs by what is known of the items: 1 - |common| / |all attributes of the two| (Jaccard).

    Args:
        items: int32 [users, k], 0 where a list is shorter.
        attributes: int32 [n + 1, a], distinct codes of an item, 0 for none.

    Returns:
        float64 [users]; 0 for lists with fewer than two items. Items of which nothing is known differ from all others.
    """
    known = sparse.csr_matrix(
        (np.ones(np.count_nonzero(attributes), np.float32), (np.nonzero(attributes)[0], attributes[attributes > 0])),
        shape=(len(attributes), int(attributes.max(initial=0)) + 1),
    )
    size = np.asarray(known.sum(axis=1)).ravel()
    total, pairs = np.zeros(len(items)), np.zeros(len(items))
    for first in range(items.shape[1]):
        for second in range(first + 1, items.shape[1]):
            one, other = items[:, first], items[:, second]
            common = np.asarray(known[one].multiply(known[other]).sum(axis=1)).ravel()
            either = size[one] + size[other] - common
            alike = np.divide(common, either, out=np.zeros(len(items)), where=either > 0)
            present = (one > 0) & (other > 0)
            total += np.where(present, 1 - alike, 0.0)
            pairs += present
    distances: NDArray[np.float64] = total / np.maximum(pairs, 1)
    return distances


def share_new(items: NDArray[np.int32], had: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of a list's items that the user had never bought.

    Args:
        items: int32 [users, k], 0 where a list is shorter.
        had: bool [users, k], whether the user had bought the item in each place.

    Returns:
        float64 [users]; 0 for empty lists.
    """
    present = items > 0
    shares: NDArray[np.float64] = (present & ~had).sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return shares


def novelty(items: NDArray[np.int32], buyer_share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean self-information of a list's items, in bits: -log2 of the share of users who bought the item (Zhou et al., PNAS 2010).

    Args:
        items: int32 [users, k], 0 where a list is shorter.
        buyer_share: float64 [n + 1], above 0 for items that are recommended.

    Returns:
        float64 [users]; 0 for empty lists.
    """
    present = items > 0
    bits = np.where(present, -np.log2(np.maximum(buyer_share[items], 1e-12)), 0.0)
    means: NDArray[np.float64] = bits.sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return means


def coverage(items: NDArray[np.int32], eligible_count: int, resamples: Resamples) -> Interval:
    """Share of the eligible catalogue that stands in at least one list.

    A resample holds fewer distinct users and so covers less; the interval is the resamples' spread around the figure for all users.

    Args:
        items: int32 [users, k], 0 where a list is shorter.
        eligible_count: items that may be recommended.
        resamples: of the same users.
    """
    recommended, column = np.unique(items, return_inverse=True)
    rows = np.repeat(np.arange(len(items)), items.shape[1])
    shape = (len(items), len(recommended))
    holds = sparse.csr_matrix((np.ones(items.size, np.float32), (rows, column.ravel())), shape=shape)
    real = recommended > 0
    covered = [((block.astype(np.float32) @ holds)[:, real] > 0).sum(axis=1) for block in resamples.blocks()]
    share = float(real.sum()) / eligible_count
    resampled = np.concatenate(covered) / eligible_count
    return interval_of(share, resampled + (share - resampled.mean()), resamples.level)
