"""How many requests may be in work at once, found from how long they take."""

START = 8.0
LEAST = 4.0
LATE_SHARE_OF_BUDGET = 0.7
"""A request that takes longer than this share of its budget is late: what is left is for the way back and for the worst of them."""
LATE_REQUESTS_MAX = 0.1
WINDOW_REQUESTS = 10
WINDOW_S = 0.1
CUT = 0.7


class ConcurrencyLimit:
    """Grows by one while all requests are quick and the limit is used, shrinks by a factor when too many are late.

    Additive increase, multiplicative decrease over windows of requests (Chiu and Jain 1989), as in Netflix's concurrency-limits with
    its rule that a limit nobody comes near is not changed; only up to where it started it grows back by itself. One late request says
    nothing; the second in a window does.

    Args:
        most: the limit never exceeds it.
        budget_ms: what a request may take.
    """

    def __init__(self, most: int, budget_ms: float) -> None:
        self._most = float(most)
        self._late_s = LATE_SHARE_OF_BUDGET * budget_ms / 1000
        self.limit = min(START, self._most)
        self._window_start = 0.0
        self._requests = self._late = self._busiest = 0

    def observe(self, now: float, started: float, took_s: float, in_flight: int) -> None:
        """Take note of a request that ended.

        Args:
            now: seconds, any clock that never goes back.
            started: when it was admitted, by the same clock; requests from before the last change of the limit say nothing about it.
            took_s: from its arrival to its end.
            in_flight: requests in work when it was admitted, itself included.
        """
        if started < self._window_start:
            return
        self._requests += 1
        self._late += took_s > self._late_s
        self._busiest = max(self._busiest, in_flight)
        too_late = self._late > LATE_REQUESTS_MAX * max(self._requests, WINDOW_REQUESTS)
        if too_late or (self._requests >= WINDOW_REQUESTS and now - self._window_start >= WINDOW_S):
            self._adjust(too_late, is_used=2 * self._busiest >= int(self.limit))
            self._start_window(now)

    def _adjust(self, too_late: bool, is_used: bool) -> None:
        if too_late and is_used:
            self.limit = max(min(LEAST, self._most), self.limit * CUT)
        elif not self._late and (is_used or self.limit < START):
            self.limit = min(self._most, self.limit + 1)

    def _start_window(self, now: float) -> None:
        self._window_start = now
        self._requests = self._late = self._busiest = 0
