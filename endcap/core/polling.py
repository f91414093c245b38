"""Looking again and again until something is there or the time is up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tenacity import AsyncRetrying, Retrying, retry_base, retry_if_exception_type, retry_if_result, wait_fixed

T = TypeVar("T")
Errors = type[Exception] | tuple[type[Exception], ...]


def poll(
    look: Callable[[], T],
    *,
    every_s: float,
    within_s: float,
    is_there: Callable[[T], object] = bool,
    again_on: Errors = (),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """The first value of `look` that is there, or its last one when the time is up; there is one look at least.

    Args:
        look: what is looked at.
        every_s: pause between two looks, in seconds.
        within_s: the last look begins before this many seconds are over.
        is_there: whether a value is what was waited for; any that is true when left out.
        again_on: errors after which it looks again; the last look's error is raised.
        clock: seconds that never go back.
        sleep: waits so many seconds.
    """
    return Retrying(sleep=sleep, **_policy(every_s, within_s, is_there, again_on, clock))(look)


async def poll_async(
    look: Callable[[], Awaitable[T]],
    *,
    every_s: float,
    within_s: float,
    is_there: Callable[[T], object] = bool,
    again_on: Errors = (),
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """As `poll`, for a look that is awaited."""
    return await AsyncRetrying(sleep=sleep, **_policy(every_s, within_s, is_there, again_on, clock))(look)


def _policy(
    every_s: float, within_s: float, is_there: Callable[[Any], object], again_on: Errors, clock: Callable[[], float]
) -> dict[str, Any]:
    last_look_at = clock() + within_s - every_s
    retry: retry_base = retry_if_result(lambda found: not is_there(found)) | retry_if_exception_type(again_on)
    return {
        "retry": retry,
        "stop": lambda _: clock() > last_look_at,
        "wait": wait_fixed(every_s),
        "retry_error_callback": lambda state: state.outcome.result(),
    }
