"""A bulkhead: at most so many calls to one dependency at a time, so that a slow one cannot take everything."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from endcap.core.errors import DependencyUnavailable

P = ParamSpec("P")
T = TypeVar("T")


class BulkheadFull(DependencyUnavailable):
    """As many calls as allowed are under way; this one was not made."""


class Bulkhead:
    """Counts the calls that are under way; belongs to one event loop.

    Args:
        calls: most calls at the same time.
    """

    def __init__(self, calls: int) -> None:
        self._calls = calls
        self.in_use = 0

    def is_full(self) -> bool:
        return self.in_use >= self._calls

    def enter(self) -> bool:
        """Take a place; False when there is none."""
        if self.in_use >= self._calls:
            return False
        self.in_use += 1
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.in_use -= 1


class BoundedThreads:
    """Blocking calls to one dependency, in threads of its own.

    A call that nobody waits for any more still holds a thread: it keeps its place until it has really ended, and when all places are
    held a new call fails at once instead of queueing behind them.

    Args:
        name: of the dependency, for threads and messages.
        threads: how many calls run at once.
        calls: how many may run or wait for a thread.
    """

    def __init__(self, name: str, threads: int, calls: int) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = Bulkhead(calls)

    @property
    def in_use(self) -> int:
        """Calls that run or wait for a thread."""
        return self._places.in_use

    def start(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Start a call. Cancelling the future takes it out of the queue; one that runs already runs to its end.

        Raises:
            BulkheadFull: all places are held.
        """
        if not self._places.enter():
            raise BulkheadFull("too many calls are under way", field=self._name, value=self._places.in_use)
        loop = asyncio.get_running_loop()

        def ended(_call: Future[T]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._places.leave)

        try:
            call = self._pool.submit(function, *args, **kwargs)
        except RuntimeError:
            self._places.leave()
            raise
        call.add_done_callback(ended)
        return asyncio.wrap_future(call, loop=loop)

    def close(self) -> None:
        """Take no more calls; those that run are left to end."""
        self._pool.shutdown(wait=False, cancel_futures=True)
