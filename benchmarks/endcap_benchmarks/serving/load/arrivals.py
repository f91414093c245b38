"""When requests are due in an open loop: whatever the answers do, the next one comes."""

from typing import Literal

import numpy as np

Arrivals = Literal["poisson", "fixed"]


def due_times(rate: float, seconds: float, arrivals: Arrivals, seed: int) -> list[float]:
    """Moments in [0, seconds), ascending, rate x seconds of them.

    Args:
        rate: requests a second.
        seconds: length of the stretch.
        arrivals: `poisson`, as independent people come, or `fixed` distances.
        seed: of the Poisson process.
    """
    count = round(rate * seconds)
    if arrivals == "fixed":
        return (np.arange(count) / rate).tolist()
    # Given their number, arrivals of a Poisson process are independent and uniform; the number is kept so that stretches compare.
    moments: list[float] = np.sort(np.random.default_rng(seed).uniform(0.0, seconds, count)).tolist()
    return moments
