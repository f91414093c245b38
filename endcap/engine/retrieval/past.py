"""What a person did, as of a request: the batch features, aged, with what the stream saw since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import PURCHASE_CODE, SIGNAL_TYPES, VIEW_CODE
from endcap.engine.retrieval.recent import NO_BATCH, BatchMoment, merged_history, recent_occasions, recent_touches
from endcap.engine.retrieval.recent_pairs import Columns, merged_pairs
from endcap.engine.retrieval.signal_state import NO_SIGNALS, SignalState
from endcap.features.columns import HISTORY_LENGTH

STALENESS_MAX_DAYS = 28.0
"""Older feature rows are aged by this much only: no model saw a user whose last features were older."""

ROW_IDS = ("pair_item_ids", "history_item_ids", "signal_item_ids")
RECENT_IDS = ("recent_item_ids", "recent_bought_item_ids")

_COUNTED = ("times_bought", "baskets_28d", "baskets_90d", "gap_mean_days")
PAIR_COLUMNS = (*_COUNTED, "days_since_bought", "decayed_20d", "decayed_60d")


@dataclass(frozen=True)
class Past:
    """One user's past; h items of the history, p items bought.

    Attributes:
        history: int32 [h], newest last.
        history_age_days: float64 [h].
        history_at_s: int64 [h], UTC epoch seconds; of the batch alone.
        history_signal: int32 [h].
        pairs: `pair_index` and the columns of `UserState` that belong to it, [p], ascending.
        signals: what was looked at, carted and rated.
    """

    history: NDArray[np.int32]
    history_age_days: NDArray[np.float64]
    history_at_s: NDArray[np.int64]
    history_signal: NDArray[np.int32]
    pairs: Columns
    signals: SignalState

    @classmethod
    def of_row(cls, row: Mapping[str, Any], codes: Sequence[NDArray[np.int32]], batch: BatchMoment) -> "Past":
        """The batch features.

        Args:
            row: the user's columns; lists that are missing are empty.
            codes: item indices of ROW_IDS, 0 for unknown items.
            batch: the moment that they are of, and by how much they are aged.
        """
        pair_index, past, signals = codes
        at_s = np.asarray(listed(row, "history_occurred_at"), dtype=np.int64)
        # Rows that were written before types were told apart have none.
        signals_of_past = listed(row, "history_signals")
        signal = np.asarray(signals_of_past if len(signals_of_past) else np.full(len(past), PURCHASE_CODE), dtype=np.int32)
        # Rows of a newer version may have types that this one does not know: somebody looked at the item at least.
        signal = np.where((signal > 0) & (signal <= len(SIGNAL_TYPES)), signal, VIEW_CODE).astype(np.int32)
        known = past > 0
        return cls(
            history=past[known],
            history_age_days=_ages(at_s[known], batch),
            history_at_s=at_s[known],
            history_signal=signal[known],
            pairs=_pairs(row, pair_index, batch),
            signals=SignalState.of_row(row, signals, batch.at_s + batch.elapsed_days * DAY_S) if len(signals) else NO_SIGNALS,
        )

    def with_recent(
        self,
        row: Mapping[str, Any],
        codes: Sequence[NDArray[np.int32]],
        batch: BatchMoment,
        now_s: float,
        visit: NDArray[np.bool_],
    ) -> "Past":
        """With what came since the batch.

        Args:
            row: USER_RECENT.
            codes: item indices of RECENT_IDS, 0 for unknown items.
            batch: where the batch features stand.
            now_s: the moment of the request, UTC epoch seconds.
            visit: bool, which of the touches the present visit has too.
        """
        touches = recent_touches(row, codes[0], batch, now_s, visit)
        history, age_days, signal = merged_history(self.history, self.history_age_days, self.history_signal, self.history_at_s, touches)
        return Past(
            history=history[-HISTORY_LENGTH:],
            history_age_days=age_days[-HISTORY_LENGTH:],
            history_at_s=self.history_at_s,
            history_signal=signal[-HISTORY_LENGTH:],
            pairs=merged_pairs(self.pairs, recent_occasions(row, codes[1], batch, now_s)),
            signals=self.signals.with_recent(touches),
        )


NO_PAST = Past(
    history=np.zeros(0, dtype=np.int32),
    history_age_days=np.zeros(0),
    history_at_s=np.zeros(0, dtype=np.int64),
    history_signal=np.zeros(0, dtype=np.int32),
    pairs={"pair_index": np.zeros(0, dtype=np.int32), **{name: np.zeros(0, dtype=np.float32) for name in PAIR_COLUMNS}},
    signals=NO_SIGNALS,
)


def batch_moment(row: Mapping[str, Any] | None, now: datetime) -> BatchMoment:
    """Where a row of batch features stands; one without `event_timestamp` is taken to be of `now`."""
    if row is None:
        return NO_BATCH
    now_s = now.timestamp()
    of_row: datetime | None = row.get("event_timestamp")
    at_s = now_s if of_row is None else of_row.timestamp()
    return BatchMoment(at_s, min(max((now_s - at_s) / DAY_S, 0.0), STALENESS_MAX_DAYS))


def listed(row: Mapping[str, Any], name: str) -> Sequence[Any]:
    """A list of a row; empty where it is missing."""
    values = row.get(name)
    return [] if values is None else values


def _ages(at_s: NDArray[Any], batch: BatchMoment) -> NDArray[np.float64]:
    if not len(at_s):
        return np.zeros(0)
    ages: NDArray[np.float64] = (batch.at_s - at_s) / DAY_S + batch.elapsed_days
    return ages


def _known_ascending(index: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Places of the known items, by item index, intp [k]; and these indices, int32 [k]."""
    order = np.argsort(index, kind="stable")
    ascending = index.take(order)
    unknown = int(np.searchsorted(ascending, 0, side="right"))
    return order[unknown:], ascending[unknown:]


def _pairs(row: Mapping[str, Any], index: NDArray[np.int32], batch: BatchMoment) -> Columns:
    order, ascending = _known_ascending(index)

    def column(name: str, dtype: type = np.float32) -> NDArray[Any]:
        return np.asarray(listed(row, f"pair_{name}"), dtype=dtype).take(order)

    return {
        "pair_index": ascending,
        **{name: column(name) for name in _COUNTED},
        "days_since_bought": _ages(column("last_bought_at", np.float64), batch),
        "decayed_20d": column("decayed_20d") * np.float32(np.exp(-batch.elapsed_days / 20.0)),
        "decayed_60d": column("decayed_60d") * np.float32(np.exp(-batch.elapsed_days / 60.0)),
    }
