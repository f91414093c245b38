"""Upper confidence bounds over discounted click evidence."""

from dataclasses import dataclass

import numpy as np

from endcap.engine.exploration.policy import Arms, Choice, choice_among


@dataclass(frozen=True)
class DiscountedUcb:
    """Shows what could be the best one by the optimistic end of its click rate (D-UCB, Garivier and Moulines, ALT 2011).

    The bound is the rate plus 2 sqrt(width log(total) / impressions), all counts discounted and with the prior's. The choice follows from
    the evidence, so between two counts of it every request gets the same items but for the uniform share.

    Attributes:
        width: xi in the paper; 0.5 there bounds the regret, less explores less.
        floor: share of choices that is uniform instead; without it the propensity of all other items would be 0.
    """

    width: float = 0.02
    floor: float = 0.05
    name: str = "ucb"

    def choose(self, arms: Arms, most: int, random: np.random.Generator) -> Choice:
        total = max(arms.impressions_total, np.e)
        bound = arms.rate + 2 * np.sqrt(np.float32(self.width * np.log(total)) / (arms.clicks + arms.misses))
        return choice_among(bound[None, :].astype(np.float32), most, self.floor, random)
