"""Epsilon-greedy over discounted click evidence."""

from dataclasses import dataclass

import numpy as np

from endcap.engine.exploration.policy import Arms, Choice, choice_among


@dataclass(frozen=True)
class EpsilonGreedy:
    """Shows the items with the best click rates, and with probability `epsilon` any (Sutton and Barto 2018, section 2.2)."""

    epsilon: float = 0.2
    name: str = "epsilon"

    def choose(self, arms: Arms, most: int, random: np.random.Generator) -> Choice:
        return choice_among(arms.rate[None, :].copy(), most, self.epsilon, random)
