"""The policies by the names that settings give them, and the randomness of one request."""

from collections.abc import Callable, Mapping
from hashlib import blake2b

import numpy as np

from endcap.core.settings import ExplorationSettings
from endcap.engine.exploration.epsilon import EpsilonGreedy
from endcap.engine.exploration.policy import Policy
from endcap.engine.exploration.thompson import ThompsonSampling
from endcap.engine.exploration.ucb import DiscountedUcb

_POLICIES: Mapping[str, Callable[[], Policy]] = {"thompson": ThompsonSampling, "ucb": DiscountedUcb, "epsilon": EpsilonGreedy}


def policy_of(settings: ExplorationSettings) -> Policy:
    """The policy that the settings name."""
    return _POLICIES[settings.policy]()


def request_random(request_id: str) -> np.random.Generator:
    """Randomness that follows from the request id alone, so that a logged list can be made again."""
    seed = int.from_bytes(blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
    return np.random.Generator(np.random.PCG64(seed))
