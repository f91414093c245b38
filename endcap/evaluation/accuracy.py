"""Accuracy of ranked lists against what the users bought, per user.

Binary gain. NDCG's ideal list has min(k, truth size) hits (Järvelin and Kekäläinen, ACM TOIS 2002).
"""

import numpy as np
from numpy.typing import NDArray

ACCURACY = ("precision", "recall", "hr", "mrr", "ndcg")


def accuracy(hits: NDArray[np.bool_], truth_size: NDArray[np.int64], k: int) -> dict[str, NDArray[np.float64]]:
    """Precision, recall, hit rate, reciprocal rank of the first hit and NDCG at `k`.

    Args:
        hits: bool [users, at least k], best place first.
        truth_size: int64 [users], at least 1.
        k: places looked at; a list that is shorter counts as if its other places missed.

    Returns:
        By metric name, float64 [users].
    """
    top = hits[:, :k]
    found = top.sum(axis=1)
    first = np.where(found > 0, top.argmax(axis=1) + 1, np.inf)
    return {
        "precision": found / k,
        "recall": found / truth_size,
        "hr": (found > 0).astype(np.float64),
        "mrr": 1.0 / first,
        "ndcg": (top @ _discounts(top.shape[1])) / np.cumsum(_discounts(k))[np.minimum(truth_size, k) - 1],
    }


def _discounts(places: int) -> NDArray[np.float64]:
    discounts: NDArray[np.float64] = 1.0 / np.log2(np.arange(2, places + 2))
    return discounts
