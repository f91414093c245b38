"""What came true of a candidate within the horizon, by objective."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.event import EventType
from endcap.contracts.signals import signal_code
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.retrieval.user_state import UserState
from endcap.evaluation.user_items import UserItems, contains, pair_keys
from endcap.features.columns import OBJECTIVES
from endcap.features.net_purchases import standing
from endcap.training.training_set import TrainingSet

BUY_AGAIN_BASKETS = 2
SIGNAL_OBJECTIVES = {"cart": signal_code(EventType.ADD_TO_CART), "view": signal_code(EventType.PRODUCT_VIEW)}


def happened_from(training: TrainingSet, moment: datetime) -> dict[str, pl.DataFrame]:
    """By objective, columns user_id and item_index: what users did in `horizon_days` from `moment`, and did not take back in them.

    Objectives that the training set has no events of are left out.
    """
    bought = training.labels_at(moment)
    found = {"buy": bought, "buy_again": bought.filter(pl.col("baskets") >= BUY_AGAIN_BASKETS)}
    if training.has_signals:
        end = moment + timedelta(days=training.manifest.horizon_days)
        within = training.interactions.filter(pl.col("occurred_at") >= moment, pl.col("occurred_at") < end, standing(pl.lit(end)))
        within = within.filter(pl.col("signal").is_in(list(SIGNAL_OBJECTIVES.values())))
        pairs = within.select("user_id", "item_index", "signal").unique().collect(engine="streaming")
        found |= {name: pairs.filter(pl.col("signal") == code) for name, code in SIGNAL_OBJECTIVES.items()}
    return {name: pairs.select("user_id", "item_index") for name, pairs in found.items()}


def label(
    user_ids: Sequence[str], states: Sequence[UserState], found: Sequence[CandidateSet], happened: Mapping[str, pl.DataFrame]
) -> NDArray[np.float32]:
    """float32 [m, len(OBJECTIVES)] for the candidates of all users in order; what a user rated low is wanted no more, whatever they did.

    Args:
        user_ids: of the candidate sets.
        states: of the same users, as of the moment before.
        found: candidates of each user.
        happened: from `happened_from`.
    """
    query = np.repeat(np.arange(len(found), dtype=np.int64), [len(candidates) for candidates in found])
    keys = pair_keys(query, np.concatenate([candidates.index for candidates in found]))
    labels = np.zeros((len(keys), len(OBJECTIVES)), dtype=np.float32)
    users = pl.DataFrame({"user_id": user_ids, "query": np.arange(len(user_ids), dtype=np.int64)}, schema_overrides={"user_id": pl.String})
    for name, pairs in happened.items():
        mine = pairs.join(users, on="user_id")
        wanted = UserItems(mine["query"].to_numpy(), mine["item_index"].to_numpy(), len(found))
        labels[:, OBJECTIVES.index(name)] = contains(wanted.keys, keys)
    low = [state.signals.index[state.signals.rated_low] for state in states]
    rated_low = UserItems(np.repeat(np.arange(len(low)), [len(items) for items in low]), np.concatenate(low), len(low))
    labels[contains(rated_low.keys, keys)] = 0
    return labels
