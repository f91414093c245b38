"""How many requests may be in work at once: as many as get whole lists in time."""

import time
from collections.abc import Callable

LIMIT_START = 8.0
LIMIT_MIN = 1.0
CUT_SHARE_MAX = 0.15
"""A list that was cut short is lost beside those that one more request in work brings only while there are few of them."""
GIVEN_UP_SHARE = 0.5
"""Of the lists that the last place can bring, one in so many places, what may be cut short before it is given up: with few places each
brings much, and what cuts lists short then is another process as often as they themselves."""
GROWN_SHARE = 0.125
"""What may be cut short, times the places there are, before another place is tried."""
WINDOW_LISTS = 10
WINDOW_S = 0.1
LIMIT_CUT = 0.7
LIMIT_STEP = 0.25
USUAL_GAIN = 0.1
USUAL_DEVIATIONS = 1.0


class ConcurrencyLimit:
    """Grows by a step while lists are whole and the limit is used, shrinks by a factor when too many are cut short.

    Additive increase, multiplicative decrease over windows of lists (Chiu and Jain 1989), as in Netflix's concurrency-limits with its rule
    that a limit far from being reached is not changed; only up to where it started it grows back by itself.

    What is counted is whole lists, not quick answers: without the features or the ranker an answer is quick, and a limit that went by time
    would let in more the fewer lists are whole, until none is.

    Args:
        most: the limit never exceeds it.
        clock: seconds that never go back.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(most)
        self._clock = clock
        self.limit = min(LIMIT_START, self._most)
        self._mean_s: float | None = None
        self._deviation_s = 0.0
        self._window_start = 0.0
        self._lists = self._cut = self._busiest = 0

    @property
    def places(self) -> int:
        """Requests that may be in work."""
        return int(self.limit)

    @property
    def usual_s(self) -> float:
        """Seconds of a whole list: mean and one mean deviation of the latest, as of round trips in TCP (Jacobson 1988); 0 before any."""
        return 0.0 if self._mean_s is None else self._mean_s + USUAL_DEVIATIONS * self._deviation_s

    def admitted(self, in_flight: int) -> None:
        """Take note of how many requests are in work, the one that just came included."""
        self._busiest = max(self._busiest, in_flight)

    def begin(self) -> float:
        """The moment at which a list is begun; `ended` wants it back."""
        return self._clock()

    def ended(self, began: float, *, in_time: bool) -> None:
        """Take note of a list.

        Args:
            began: what `begin` gave; lists from before the last change of the limit say nothing about it.
            in_time: whether it is whole; False when time ran out for one of its stages, or for the whole.
        """
        now = self._clock()
        if in_time:
            self._took(now - began)
        if began < self._window_start:
            return
        self._lists += 1
        self._cut += not in_time
        too_many = self._cut > self._cut_share_max() * max(self._lists, WINDOW_LISTS)
        if too_many or (self._lists >= WINDOW_LISTS and now - self._window_start >= WINDOW_S):
            self._adjust(too_many, is_used=2 * self._busiest >= self.places)
            self._start_window(now)

    def _cut_share_max(self) -> float:
        return max(CUT_SHARE_MAX, GIVEN_UP_SHARE / self.places)

    def _adjust(self, too_many: bool, is_used: bool) -> None:
        if too_many:
            if is_used:
                self.limit = max(min(LIMIT_MIN, self._most), self.limit * LIMIT_CUT)
        elif self._cut * self.places <= GROWN_SHARE * self._lists and (is_used or self.limit < LIMIT_START):
            self.limit = min(self._most, self.limit + LIMIT_STEP)

    def _took(self, seconds: float) -> None:
        if self._mean_s is None:
            self._mean_s = seconds
        off_s = seconds - self._mean_s
        self._mean_s += USUAL_GAIN * off_s
        self._deviation_s += USUAL_GAIN * (abs(off_s) - self._deviation_s)

    def _start_window(self, now: float) -> None:
        self._window_start = now
        self._lists = self._cut = self._busiest = 0
