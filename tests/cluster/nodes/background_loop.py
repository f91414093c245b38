"""An event loop in a thread of its own: pods' servers, the gateway and its clients cost one thread together."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

Answer = TypeVar("Answer")
TIMEOUT_S = 30.0


class BackgroundLoop:
    """Runs between `__enter__` and `__exit__`, which cancels what is left and raises the first error of a started coroutine."""

    def __init__(self) -> None:
        self.asyncio_loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.asyncio_loop.run_forever, name="background-loop", daemon=True)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.run(self._cancel_all())
        self.asyncio_loop.call_soon_threadsafe(self.asyncio_loop.stop)
        self._thread.join(TIMEOUT_S)
        self.asyncio_loop.run_until_complete(self.asyncio_loop.shutdown_default_executor())
        self.asyncio_loop.close()
        if self._failure is not None:
            raise self._failure from error

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What the coroutine returns; called from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self.asyncio_loop).result(TIMEOUT_S)

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call it in the loop soon; called from any thread."""
        if not self.asyncio_loop.is_closed():
            self.asyncio_loop.call_soon_threadsafe(function, *arguments)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task; called in the loop."""
        task = self.asyncio_loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = self._failure or task.exception()

    async def _cancel_all(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
