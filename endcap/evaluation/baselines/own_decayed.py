"""Own decayed: what the user bought often and lately; the strongest simple rule where people buy the same things again."""

from endcap.algorithms.own_items import decayed
from endcap.evaluation.baselines.per_pair import summed_by_pair
from endcap.evaluation.purchase_log import PurchaseLog
from endcap.evaluation.ranked_lists import ScoredPairs

DECAY_DAYS = 60.0


def own_decayed(log: PurchaseLog) -> ScoredPairs:
    """Score = sum over the user's baskets with the item of exp(-age / DECAY_DAYS)."""
    return summed_by_pair(log.pairs, decayed(log.age_days, DECAY_DAYS))
