"""Thompson sampling over discounted click evidence."""

from dataclasses import dataclass

import numpy as np

from endcap.engine.exploration.policy import Arms, Choice, choice_among

_FEWEST_CLICKS = np.float32(0.2)
_NINTH = np.float32(1 / 9)


@dataclass(frozen=True)
class ThompsonSampling:
    """Shows each item as often as it is likely to be the best one (Thompson 1933; discounting as in Raj and Kalyani 2017).

    The posterior of a click rate is Beta(clicks, misses). Its odds are the ratio of two gamma variables, whose cube roots are close to
    normal (Wilson and Hilferty 1931), and a cube root keeps the order, so one normal number a draw decides between items: skewed as the
    Beta is at small rates, at a tenth of its cost.

    Attributes:
        draws: joint draws behind a propensity, the one that decides among them.
        floor: share of choices that is uniform instead.
    """

    draws: int = 64
    floor: float = 0.05
    name: str = "thompson"

    def choose(self, arms: Arms, most: int, random: np.random.Generator) -> Choice:
        clicks, misses = np.maximum(arms.clicks, _FEWEST_CLICKS), np.maximum(arms.misses, _FEWEST_CLICKS)
        scale = np.cbrt(clicks / misses)
        of_clicks, of_misses = _NINTH / clicks, _NINTH / misses
        mean = scale * (1 - of_clicks) / (1 - of_misses)
        spread = scale * np.sqrt(of_clicks + of_misses)
        worth = random.standard_normal((self.draws, len(arms)), dtype=np.float32)
        worth *= spread
        worth += mean
        return choice_among(worth, most, self.floor, random)
