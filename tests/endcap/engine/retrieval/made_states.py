"""Users for tests of candidate sources."""

from typing import Any

import numpy as np

from endcap.engine.retrieval.shares import Shares
from endcap.engine.retrieval.signal_state import NO_SIGNALS
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import USER_CATEGORICAL, USER_NUMERIC


def made_state(*, bought: list[int] | None = None, history: list[int] | None = None, **columns: Any) -> UserState:
    """Somebody who bought `bought` (ascending item indices), each twice, a week apart and the last time a week ago.

    `columns` say what is otherwise.
    """
    pairs = np.array(bought or [], dtype=np.int32)
    newest_last = np.array(history or [], dtype=np.int32)

    def column(name: str, otherwise: float) -> np.ndarray:
        given = columns.get(name, otherwise)
        return np.broadcast_to(np.asarray(given, dtype=np.float32), pairs.shape).copy()

    return UserState(
        numeric=np.zeros(len(USER_NUMERIC), dtype=np.float32),
        categories=np.zeros(len(USER_CATEGORICAL), dtype=np.int32),
        history=newest_last,
        history_age_days=np.zeros(len(newest_last), dtype=np.float32),
        history_signal=np.ones(len(newest_last), dtype=np.int32),
        pair_index=pairs,
        times_bought=column("times_bought", 2),
        baskets_28d=column("baskets_28d", 1),
        baskets_90d=column("baskets_90d", 2),
        days_since_bought=column("days_since_bought", 7),
        gap_mean_days=column("gap_mean_days", 7),
        decayed_20d=column("decayed_20d", 1),
        decayed_60d=column("decayed_60d", 1),
        leaf_share=columns.get("leaf_share", Shares.none()),
        brand_share=columns.get("brand_share", Shares.none()),
        session=np.array(columns.get("session", []), dtype=np.int32),
        is_known=True,
        signals=columns.get("signals", NO_SIGNALS),
    )
