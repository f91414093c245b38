"""Examples in the middle of a visit: some of the targets are shown as already in the basket, and the rest is to be found."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

VISIT_ITEMS_MAX = 3


@dataclass(frozen=True)
class Batch:
    """b examples with t targets, as the model takes them.

    Attributes:
        history: int32 [b, HISTORY_LENGTH]; history_age_days: float32, the same shape.
        user_numeric: float32 [b, columns]; user_categories: int32 [b, columns]; context: int32 [b, columns].
        row: int32 [t], ascending, the example a target belongs to.
        target: int32 [t], item indices.
        weight: float32 [t].
    """

    history: NDArray[np.int32]
    history_age_days: NDArray[np.float32]
    user_numeric: NDArray[np.float32]
    user_categories: NDArray[np.int32]
    context: NDArray[np.int32]
    row: NDArray[np.int32]
    target: NDArray[np.int32]
    weight: NDArray[np.float32]


def with_present_visits(batch: Batch, session_share: float, anonymous_share: float, rng: np.random.Generator) -> Batch:
    """Move up to VISIT_ITEMS_MAX targets of some examples to the end of their history, at age 0.

    Serving puts a visit's items there. Every example keeps at least one target.

    Args:
        batch: examples; not changed.
        session_share: share of the examples to do this to.
        anonymous_share: share of those that lose their past and their features too, as a visitor nobody knows.
        rng: source of the choices.
    """
    size = len(batch.history)
    chosen = rng.random(size) < session_share
    wanted = np.where(chosen, rng.integers(1, VISIT_ITEMS_MAX + 1, size), 0)
    count = np.bincount(batch.row, minlength=size)
    wanted = np.minimum(wanted, np.maximum(count - 1, 0))
    shuffled = np.lexsort((rng.random(len(batch.row)), batch.row))
    place = np.arange(len(batch.row)) - np.concatenate([[0], np.cumsum(count)[:-1]])[batch.row]
    shown = np.zeros(len(batch.row), dtype=bool)
    shown[shuffled] = place < wanted[batch.row]
    visible = _without_past(batch, (wanted > 0) & (rng.random(size) < anonymous_share))
    history, age = visible.history.copy(), visible.history_age_days.copy()
    shown_row, shown_item = batch.row[shown], batch.target[shown]
    shown_place = np.arange(len(shown_row)) - np.searchsorted(shown_row, shown_row)
    for step in range(VISIT_ITEMS_MAX):
        now = shown_place == step
        rows = shown_row[now]
        history[rows, :-1], history[rows, -1] = history[rows, 1:], shown_item[now]
        age[rows, :-1], age[rows, -1] = age[rows, 1:], 0.0
    return replace(
        visible,
        history=history,
        history_age_days=age,
        row=batch.row[~shown],
        target=batch.target[~shown],
        weight=batch.weight[~shown],
    )


def _without_past(batch: Batch, hidden: NDArray[np.bool_]) -> Batch:
    def cleared(values: NDArray) -> NDArray:  # type: ignore[type-arg]
        return np.where(hidden[:, None], 0, values).astype(values.dtype)

    return replace(
        batch,
        history=cleared(batch.history),
        history_age_days=cleared(batch.history_age_days),
        user_numeric=cleared(batch.user_numeric),
        user_categories=cleared(batch.user_categories),
    )
