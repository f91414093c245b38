"""What one side of an experiment has shown so far."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endcap.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Counts:
    """Trials and how many of them succeeded, cumulated since one moment.

    Attributes:
        trials: float64, any shape: one entry a comparison.
        successes: float64, the same shape.
    """

    trials: NDArray[np.float64]
    successes: NDArray[np.float64]

    @classmethod
    def of(cls, trials: ArrayLike, successes: ArrayLike) -> "Counts":
        """Counts from numbers or arrays.

        Raises:
            InvalidInput: a count is negative or not finite, or there are more successes than trials.
        """
        made = cls(np.asarray(trials, np.float64), np.asarray(successes, np.float64))
        if not (np.isfinite(made.trials).all() and np.isfinite(made.successes).all()):
            raise InvalidInput("a count is not finite", field="counts", value=(trials, successes))
        if (made.successes < 0).any() or (made.successes > made.trials).any():
            raise InvalidInput("successes must lie between 0 and the trials", field="successes", value=successes)
        return made

    @property
    def share(self) -> NDArray[np.float64]:
        """Successes a trial; 0 without trials."""
        return np.divide(self.successes, self.trials, out=np.zeros_like(self.successes), where=self.trials > 0)
