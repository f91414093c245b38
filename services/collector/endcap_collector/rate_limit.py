"""How much each key may send: a token bucket a key."""

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
            self._tokens -= count
            return None
        return max(1, ceil((needed - self._tokens) / self.rate))


class RateLimits:
    """The buckets of all keys, by the key's name."""

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, name: str, rate: float, burst: float, count: float, needed: float) -> int | None:
        """Take from a key's bucket, as `TokenBucket.take` does; a key whose limits were changed gets a new one."""
        bucket = self._buckets.get(name)
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = self._buckets[name] = TokenBucket(rate, burst, self._timer)
        return bucket.take(count, needed)
