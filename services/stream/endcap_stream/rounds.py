"""A loop of rounds over a log, and a loop beside another one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from endcap.events.stream.delivery import Delivery

_SETTLE_SECONDS = 5.0

Loop = Callable[[threading.Event], None]
"""Runs until the event is set."""


def run_rounds(stop: threading.Event, one_round: Callable[[], float], delivery: Delivery, let_go: Callable[[], None]) -> None:
    """Go round until `stop` is set; then what waits is delivered, as far as there is time, and the state is let go of.

    Args:
        stop: ends the loop.
        one_round: one look and what follows from it; seconds until the next one.
        delivery: of what the rounds say.
        let_go: of the state.
    """
    delivery.open_sinks()
    try:
        while not stop.is_set():
            stop.wait(one_round())
        delivery.settle(_SETTLE_SECONDS)
    finally:
        delivery.close()
        let_go()


@contextmanager
def beside(name: str, loop: Loop, stop: threading.Event, on_failure: Callable[[], None]) -> Iterator[None]:
    """Run a loop in a thread of its own while the block lasts; what it raises is raised when the block ends.

    Args:
        name: of the thread.
        loop: what is run.
        stop: ends it; set when the block ends, if not before.
        on_failure: called when the loop raises, to end the block.
    """
    failure: list[BaseException] = []

    def guarded() -> None:
        try:
            loop(stop)
        except BaseException as error:
            failure.append(error)
            on_failure()

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failure:
        raise failure[0]
