"""`python -m tests.faults.faulty_transformer`: the real transformer, whose wall clock and vector search a test can bend meanwhile.

What is bent stands in `faults.json` under `ENDCAP_HOME`: `clock_ahead_s`, by how much the wall clock is wrong, and `search_delay_s`.
"""

import asyncio
import datetime
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from endcap.core.settings import Settings

FILE = "faults.json"


class Faults:
    """What the file says at this moment; a missing file bends nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = 0
        self._values: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen:
                self._values = json.loads(self._path.read_text())
                self._seen = changed
        except FileNotFoundError:
            return 0.0
        return self._values.get(name, 0.0)


def write_faults(home: Path, **faults: float) -> None:
    """Bend from now on."""
    aside = home / f".{FILE}"
    aside.write_text(json.dumps(faults))
    aside.replace(home / FILE)


def bend_clock(faults: Faults) -> None:
    """Must come before the product is imported, which takes names out of modules."""
    import grpc._channel
    import grpc.aio._utils

    import endcap.core.clock

    own = SimpleNamespace(**vars(time))  # gRPC hands absolute times to its core, whose clock no test can bend
    grpc._channel.time = grpc.aio._utils.time = own
    true_time, true_time_ns = time.time, time.time_ns

    class BentDatetime(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return datetime.datetime.now(tz) + datetime.timedelta(seconds=faults["clock_ahead_s"])

    endcap.core.clock.datetime = BentDatetime  # type: ignore[misc]
    time.time = lambda: true_time() + faults["clock_ahead_s"]
    time.time_ns = lambda: true_time_ns() + int(faults["clock_ahead_s"] * 1e9)


def bend_search(faults: Faults) -> None:
    from endcap_transformer.clients.connections import MilvusIndex

    search = MilvusIndex.search

    async def delayed(self: MilvusIndex, *args: Any, **options: Any) -> Any:
        if delay_s := faults["search_delay_s"]:
            await asyncio.sleep(delay_s)
        return await search(self, *args, **options)

    MilvusIndex.search = delayed  # type: ignore[method-assign]


if __name__ == "__main__":
    bent = Faults(Settings().home / FILE)
    bend_clock(bent)
    bend_search(bent)
    from endcap_transformer.server.server import main

    sys.exit(main(wait_s=240))
