"""So much a second, and so much at once: a token bucket."""

from collections.abc import Callable
from math import ceil


class TokenBucket:
    """Fills by `rate` a second up to `burst`.

    Args:
        rate: tokens a second, over 0.
        burst: tokens it holds at most; it starts full.
        timer: monotonic seconds.
    """

    def __init__(self, rate: float, burst: float, timer: Callable[[], float]) -> None:
        self.rate, self.burst = rate, burst
        self._timer = timer
        self._tokens = burst
        self._at = timer()

    def take(self, count: float, needed: float) -> int | None:
        """Take tokens; None when enough were there, else the seconds, at least 1, after which they would be.

        Args:
            count: taken, even below zero, which holds up what comes next.
            needed: of them those that must be there, at most `burst`.
        """
        now = self._timer()
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if needed <= self._tokens:
            self.spend(count)
            return None
        return max(1, ceil((needed - self._tokens) / self.rate))

    def spend(self, count: float) -> None:
        """Take tokens whether they are there or not, even below zero, which holds up what comes next."""
        self._tokens -= count
