"""Waiting in tests for what other processes, threads and tasks do."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from endcap.core.polling import poll, poll_async

T = TypeVar("T")
POLL_S = 0.05


def until(holds: Callable[[], T], what: str, within_s: float = 30.0) -> T:
    """What `holds` returns, as soon as that is true; the test fails when it is not in time."""
    result = poll(holds, every_s=POLL_S, within_s=within_s)
    assert result, f"{what}: not within {within_s:g} s"
    return result


async def until_async(holds: Callable[[], object], what: str, within_s: float = 20.0, every_s: float = 0.001) -> None:
    """The same in an event loop, which goes on meanwhile; for what has no event to wait for."""

    async def look() -> object:
        return holds()

    assert await poll_async(look, every_s=every_s, within_s=within_s, sleep=asyncio.sleep), f"{what}: not within {within_s:g} s"
