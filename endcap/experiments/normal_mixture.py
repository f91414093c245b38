"""How far a z score may stray when it is looked at as often as one likes.

Robbins' normal mixture (Robbins, Statistical Methods Related to the Law of the Iterated Logarithm, Annals of Mathematical Statistics 1970),
in its one-sided form, a half-normal mixture: Howard, Ramdas, McAuliffe, Sekhon, Time-uniform, nonparametric, nonasymptotic confidence
sequences, Annals of Statistics 2021; as an asymptotic confidence sequence, with estimated variances: Waudby-Smith, Arbour, Sinha, Kennedy,
Ramdas, Time-uniform central limit theory and asymptotic confidence sequences, Annals of Statistics 2024 (2103.06476, the one-sided form in
its appendix).

Let S be Brownian motion with its own time I, the information. For a drift d the process exp(d S - d^2 I / 2) is a martingale that starts at
1, and so is its mean over d from a half-normal distribution with standard deviation s. By Ville's inequality it ever reaches 1 / alpha with
probability alpha at most. Solved for z = S / sqrt(I), with the normal distribution function in it bounded as in the papers, this is
`boundary`.
"""

import numpy as np
from numpy.typing import NDArray


def boundary(information: NDArray[np.float64], alpha: float, effect: float) -> NDArray[np.float64]:
    """The z score that a process without drift ever passes, on one side, with probability `alpha` at most.

    Args:
        information: float64, any shape, at least 0: 1 / variance of the effect's estimate.
        alpha: between 0 and 1.
        effect: standard deviation of the mixture, in the effect's own unit: the bound is tightest for effects of about this size, and
            holds whatever it is, as long as it is chosen beforehand.
    """
    tuning = effect**-2
    with np.errstate(divide="ignore"):
        spread = 1 + tuning / information
    return np.sqrt(2 * spread * np.log1p(np.sqrt(1 + information / tuning) / (2 * alpha)))
