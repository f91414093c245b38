"""CPU time of endcap's own code: what a request's coroutine uses between two awaits.

It leaves out the HTTP server in front, the threads of the feature store's client and gRPC's own, and counts the libraries that the code
calls directly (numpy, protobuf), so it is what a change of endcap's code can change.
"""

import time
from collections.abc import Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Metered(Generic[T]):
    """Awaits a coroutine and reports how much CPU time its steps used.

    Args:
        work: the coroutine, or what else can be awaited.
        spent: called with the seconds, once, when it has ended, however it ends.
        cpu_clock: CPU seconds of this thread.
    """

    def __init__(self, work: Awaitable[T], spent: Callable[[float], None], cpu_clock: Callable[[], float] = time.thread_time) -> None:
        self._work = work.__await__()
        self._spent = spent
        self._clock = cpu_clock

    def __await__(self) -> Generator[Any, Any, T]:
        total, sent = 0.0, None
        thrown: BaseException | None = None
        try:
            while True:
                start = self._clock()
                try:
                    waited_for = self._step(sent, thrown)
                except StopIteration as done:
                    total += self._clock() - start
                    value: T = done.value
                    return value
                except BaseException:
                    total += self._clock() - start
                    raise
                total += self._clock() - start
                thrown, sent = None, None
                try:
                    sent = yield waited_for
                except BaseException as error:
                    thrown = error
        finally:
            self._spent(total)

    def _step(self, sent: Any, thrown: BaseException | None) -> Any:
        if thrown is not None:
            return self._work.throw(thrown)
        return next(self._work) if sent is None else self._work.send(sent)
