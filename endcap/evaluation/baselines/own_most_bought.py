"""Own most-bought: what the user bought most often, ever."""

from endcap.algorithms.own_items import decayed
from endcap.evaluation.baselines.per_pair import summed_by_pair
from endcap.evaluation.purchase_log import PurchaseLog
from endcap.evaluation.ranked_lists import ScoredPairs


def own_most_bought(log: PurchaseLog) -> ScoredPairs:
    """Score = number of the user's baskets with the item."""
    return summed_by_pair(log.pairs, decayed(log.age_days, None))
