"""How late the event loop wakes: time in which something held it up and every request waited."""

import asyncio

from transformers.histograms import HistogramFamily

LOOK_SECONDS = 0.1


async def watch_event_loop(lag: HistogramFamily, look_s: float = LOOK_SECONDS) -> None:
    """Measure until it is cancelled.

    Args:
        lag: takes seconds.
        look_s: how long each sleep should take.
    """
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + look_s
        await asyncio.sleep(look_s)
        lag.observe(max(clock() - due, 0.0))
