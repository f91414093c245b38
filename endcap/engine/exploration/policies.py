"""The policies: epsilon-greedy, upper confidence bounds and Thompson sampling, by the names that settings give them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from endcap.core.settings import ExplorationSettings
from endcap.engine.exploration.policy import Arms, Choice, Policy, choice_among

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


@dataclass(frozen=True)
class EpsilonGreedy:
    """Shows the items with the best click rates, and with probability `epsilon` any (Sutton and Barto 2018, section 2.2)."""

    epsilon: float = 0.2
    name: str = "epsilon"

    def choose(self, arms: Arms, most: int, random: np.random.Generator) -> Choice:
        return choice_among(arms.rate[None, :].copy(), most, self.epsilon, random)


_POLICIES: Mapping[str, Callable[[], Policy]] = {"thompson": ThompsonSampling, "ucb": DiscountedUcb, "epsilon": EpsilonGreedy}


def policy_of(settings: ExplorationSettings) -> Policy:
    """The policy that the settings name."""
    return _POLICIES[settings.policy]()


def request_random(request_id: str) -> np.random.Generator:
    """Randomness that follows from the request id alone, so that a logged list can be made again."""
    seed = int.from_bytes(blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return np.random.Generator(np.random.PCG64(seed))
