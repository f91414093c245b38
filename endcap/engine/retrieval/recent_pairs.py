"""Items bought before with what was bought and taken back since the batch features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.recent import RecentOccasions
from endcap.engine.retrieval.sorted_places import places_in

Columns = dict[str, NDArray[Any]]

_WINDOWS = {"baskets_28d": 28, "baskets_90d": 90}
_DECAYS = {"decayed_20d": 20.0, "decayed_60d": 60.0}


def merged_pairs(pairs: Columns, recent: RecentOccasions) -> Columns:
    """The columns of the pairs as they stand now; items of which nothing stands are gone.

    Where all that stands of an item is among the recent occasions, its numbers are those of these; else what was taken back is taken off.

    Args:
        pairs: `pair_index` and the columns of `UserState` that belong to it, [p], of the batch, aged to the request.
        recent: what was bought and taken back lately.
    """
    if not (recent.is_come.any() or recent.is_gone.any()):
        return pairs
    items = _Items(pairs, recent)
    times = items.of_batch(pairs["times_bought"]) + items.counts(items.come) - items.counts(items.gone)
    known = (items.counts(items.gone) > 0) & (items.counts(items.stands) >= times)
    columns: Columns = {"times_bought": times}
    for name, days in _WINDOWS.items():
        total = items.of_batch(pairs[name]) + items.counts(items.come & (recent.age_days <= days))
        total -= items.counts(items.gone & (recent.batch_age_days <= days))
        columns[name] = np.where(known, items.counts(items.stands & (recent.age_days <= days)), np.maximum(total, 0))
    for name, decay_days in _DECAYS.items():
        weight = np.exp(-recent.age_days / decay_days)
        total = items.of_batch(pairs[name]) + items.sums(items.come, weight) - items.sums(items.gone, weight)
        columns[name] = np.where(known, items.sums(items.stands, weight), np.maximum(total, 0))
    columns |= _recency(pairs, recent, items, times, known)
    left = times > 0
    return {"pair_index": items.index[left]} | {name: values[left].astype(np.float32) for name, values in columns.items()}


class _Items:
    """Sums by item over the batch's pairs and the recent occasions.

    Attributes:
        index: int32 [n], the items.
        come, gone, stands: bool [b], of the occasions of these items: those that came since, that are to be taken off, and that stand.
    """

    def __init__(self, pairs: Columns, recent: RecentOccasions) -> None:
        self.index = np.union1d(pairs["pair_index"], recent.index[recent.is_come]).astype(np.int32)
        self._old = np.searchsorted(self.index, pairs["pair_index"])
        self._place, is_there = places_in(self.index, recent.index)
        self.come, self.stands = is_there & recent.is_come, is_there & recent.stands
        self.gone = recent.is_gone & places_in(pairs["pair_index"], recent.index)[1]
        self._size = len(self.index)

    def of_batch(self, values: NDArray[Any], otherwise: float = 0.0) -> NDArray[np.float64]:
        """float64 [n]: the batch's values."""
        whole = np.full(self._size, otherwise)
        whole[self._old] = values
        return whole

    def counts(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """float64 [n]: how many of the chosen occasions."""
        return np.bincount(self._place[chosen], minlength=self._size).astype(np.float64)

    def sums(self, chosen: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [n]: the chosen occasions' weights."""
        return np.bincount(self._place[chosen], weight[chosen], self._size).astype(np.float64, copy=False)

    def least(self, chosen: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [n]: the least of the chosen occasions' values, infinity where there is none."""
        whole = np.full(self._size, np.inf)
        np.minimum.at(whole, self._place[chosen], values[chosen])
        return whole


def _recency(pairs: Columns, recent: RecentOccasions, items: _Items, times: NDArray[np.float64], known: NDArray[np.bool_]) -> Columns:
    """`days_since_bought` and `gap_mean_days`: of the first and the last occasion.

    Where the last was taken back and none that is left is among the recent ones, it is a mean gap earlier.
    """
    gap = items.of_batch(pairs["gap_mean_days"])
    last = items.of_batch(pairs["days_since_bought"], np.inf)
    waits = np.maximum(items.of_batch(pairs["times_bought"]) - 1, 0)
    first = np.where(np.isinf(last), -np.inf, last + gap * waits)
    newest_left = items.least(items.stands, recent.age_days)
    took_last = items.least(items.gone, recent.age_days) <= last + 1e-9
    earlier = np.minimum(last + gap * items.counts(items.gone), first)
    last = np.where(took_last, np.where(np.isinf(newest_left), earlier, newest_left), np.minimum(last, newest_left))
    oldest_left = -items.least(items.stands, -recent.age_days)
    first = np.where(known, oldest_left, np.maximum(first, -items.least(items.come, -recent.age_days)))
    mean = np.divide(first - last, times - 1, out=np.zeros(len(times)), where=times > 1)
    return {"days_since_bought": last, "gap_mean_days": np.maximum(mean, 0.0)}
