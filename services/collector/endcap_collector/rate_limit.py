"""How much each key may send: a token bucket a key."""

from collections.abc import Callable

from endcap.core.token_bucket import TokenBucket


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
