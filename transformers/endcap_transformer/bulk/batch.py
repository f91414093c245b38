"""Lists that are made together: one step at a time, and each kind of call once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Sequence
from typing import Any, Generic, TypeVar

A = TypeVar("A")
K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
T = TypeVar("T")

Turn = Callable[[], Coroutine[Any, Any, None]]
"""Returns when one step may run, which it does before anything else can."""


class GatheredCalls(Generic[K, A, R]):
    """Calls to one part. They wait until no list of the batch can go on without an answer, and those of a kind go out as one.

    Args:
        batch: the lists.
        together: makes the calls of one kind, of several arguments; as many answers, in the same order.
    """

    def __init__(self, batch: "Batch", together: Callable[[K, Sequence[A]], Awaitable[Sequence[R]]]) -> None:
        self._batch = batch
        self._together = together
        self._waiting: dict[K, list[tuple[A, asyncio.Future[R]]]] = {}
        batch.gathers(self.send)

    async def ask(self, kind: K, argument: A) -> R:
        """The answer to one argument.

        Raises:
            Exception: what the call raised.
        """
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(kind, []).append((argument, answer))
        self._batch.look()
        return await answer

    async def send(self) -> None:
        """Make the calls that wait."""
        kinds, self._waiting = self._waiting, {}
        for kind, waiting in kinds.items():
            await self._send(kind, [(argument, answer) for argument, answer in waiting if not answer.done()])

    async def _send(self, kind: K, waiting: Sequence[tuple[A, "asyncio.Future[R]"]]) -> None:
        if not waiting:
            return
        try:
            answers = await self._together(kind, [argument for argument, _ in waiting])
        except Exception as error:  # each list falls back by itself, and calls of another kind may be answered
            for _, answer in waiting:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), given in zip(waiting, answers, strict=True):
            if not answer.done():
                answer.set_result(given)


class Batch:
    """Runs the coroutines of several lists in steps, a step being what one does between two awaits.

    The event loop belongs to shoppers too: `turn` lets one step of all batches run at a time, so that nobody waits behind more than that.
    A call that a list makes through `GatheredCalls` goes out when all lists wait for something: then it carries everybody's.

    Args:
        turn: see `Turn`.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self._ready = 0
        self._sends: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self._sending: set[asyncio.Task[None]] = set()

    def gathers(self, send: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Call `send` whenever all lists wait."""
        self._sends.append(send)

    async def run(self, lists: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """The results, in order.

        Raises:
            Exception: the first that a list raised; the others are cancelled.
        """
        tasks = [asyncio.create_task(self._stepped(each)) for each in lists]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in (*tasks, *self._sending):
                task.cancel()
            await asyncio.gather(*tasks, *self._sending, return_exceptions=True)

    def look(self) -> None:
        """See in the loop's next turn whether all lists wait; what wakes them has woken all by then."""
        asyncio.get_running_loop().call_soon(self._send_if_all_wait)

    def became_ready(self) -> None:
        self._ready += 1

    def waits(self) -> None:
        self._ready -= 1
        if not self._ready:
            self.look()

    async def _stepped(self, work: Coroutine[Any, Any, T]) -> T:
        return await _Steps(work, self)

    def _send_if_all_wait(self) -> None:
        if self._ready:
            return
        for send in self._sends:
            task = asyncio.get_running_loop().create_task(send())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)


class _Steps(Generic[T]):
    """Awaits a coroutine whose every step waits for its turn."""

    def __init__(self, work: Coroutine[Any, Any, T], batch: Batch) -> None:
        self._work = work
        self._batch = batch

    def __await__(self) -> Generator[Any, Any, T]:
        thrown: BaseException | None = None
        self._batch.became_ready()
        try:
            while True:
                try:
                    yield from self._batch.turn().__await__()
                except (Exception, asyncio.CancelledError) as error:
                    # A deadline: the list's own await has to hear of it.
                    thrown = error
                try:
                    waited_for = self._work.send(None) if thrown is None else self._work.throw(thrown)
                except StopIteration as done:
                    value: T = done.value
                    return value
                thrown = yield from self._waited(waited_for)
        finally:
            self._batch.waits()

    def _waited(self, waited_for: Any) -> Generator[Any, Any, BaseException | None]:
        """Wait, and give what was thrown at the waiting list; one that only lets others run is still ready itself."""
        waits = waited_for is not None
        if waits:
            self._batch.waits()
        try:
            yield waited_for
        except (Exception, asyncio.CancelledError) as error:
            return error
        finally:
            if waits:
                self._batch.became_ready()
        return None
