"""The bundle that is served, and the switch to another one without a pause."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from endcap.bundle.promotion import model_base_path
from endcap.errors import DependencyUnavailable
from endcap.log import get_logger
from transformers.served_bundle import ServedBundle

LOOK_SECONDS = 2.0

Prepare = Callable[[], Awaitable[ServedBundle]]
"""Loads the promoted bundle and returns when every part can answer with it."""


class BundleHolder:
    """Holds the bundle that answers; a request takes `current` once and keeps it."""

    def __init__(self) -> None:
        self.current: ServedBundle | None = None

    def change(self, **changes: Any) -> None:
        """Put newer rules, items or evidence into the bundle that answers; one step for every request that comes after."""
        if self.current is not None:
            self.current = replace(self.current, **changes)


async def watch_bundle(
    holder: BundleHolder,
    served_dir: Path,
    prepare: Prepare,
    put: Callable[[ServedBundle], None],
    *,
    look_s: float = LOOK_SECONDS,
    count: Callable[[str], None] = lambda _outcome: None,
) -> None:
    """Switch to each newly promoted bundle once it is ready; runs until it is cancelled.

    A bundle that cannot be served is logged once, and the present one goes on answering. One that only had to wait for a part that was
    away is tried again.

    Args:
        holder: knows the present one.
        served_dir: where bundles are promoted.
        prepare: loads the promoted one.
        put: makes it the one that answers.
        look_s: seconds between two looks.
        count: told each outcome, switched or refused.
    """
    log = get_logger("transformer")
    refused: int | None = None
    waiting: int | None = None
    while True:
        await asyncio.sleep(look_s)
        promoted = await asyncio.to_thread(_promoted_version, served_dir)
        present = holder.current.manifest.version if holder.current else None
        if promoted is None or promoted in (present, refused):
            continue
        try:
            newer = await prepare()
            put(newer)
            count("switched")
            log.info("bundle switched", bundle=newer.name, was=present)
        except DependencyUnavailable as error:
            if waiting != promoted:
                waiting = promoted
                count("refused")
                log.error("promoted bundle has to wait", version=promoted, cause=str(error))
        except Exception as error:  # whatever is wrong with the new bundle, the present one goes on
            refused = promoted
            count("refused")
            log.error("promoted bundle cannot be served", version=promoted, cause=str(error))


def _promoted_version(served_dir: Path) -> int | None:
    try:
        versions = [int(path.name) for path in model_base_path(served_dir).iterdir() if path.name.isdigit()]
    except FileNotFoundError:
        return None
    return max(versions, default=None)
