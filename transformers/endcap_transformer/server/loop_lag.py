"""How late the event loop wakes: in one process on a shared CPU this is where an overload shows first."""

import asyncio
import time
from collections.abc import Callable

LOOK_S = 0.01
PROMPT_S = 0.005
PERSISTS_S = 0.1


class LoopLag:
    """Wakes every 10 ms and sees how much later it is than that; belongs to the running event loop.

    A loop that is late once, for a garbage collection or a new bundle, catches up by itself. Overload is a loop that has not been
    prompt for a while (the idea of CoDel, Nichols and Jacobson 2012).

    Args:
        seconds: told each lag.
        clock: seconds that never go back; an event loop's own may stand still while it is busy.
    """

    def __init__(self, seconds: Callable[[float], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._prompt_at = 0.0

    def start(self) -> None:
        self._prompt_at = self._clock()
        self._wait()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def persists(self, now: float) -> bool:
        """Whether the loop has not been prompt for a while; `now` by the same clock."""
        return self._timer is not None and now - self._prompt_at > PERSISTS_S

    def _wait(self) -> None:
        self._due = self._clock() + LOOK_S
        self._timer = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _look(self) -> None:
        now = self._clock()
        lag_s = max(now - self._due, 0.0)
        self._seconds(lag_s)
        if lag_s <= PROMPT_S:
            self._prompt_at = now
        self._wait()
