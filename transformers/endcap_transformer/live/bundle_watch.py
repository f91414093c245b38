"""The bundle that is served, and the switch to another one without a pause."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.log import get_logger
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import served_bundle, served_version
from endcap_transformer.live.file_watch import ANYTHING, BackOff
from endcap_transformer.live.served_bundle import ServedBundle

LOOK_SECONDS = 2.0
LOOKS_PASSED_MAX = 7

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

    A bundle that cannot be served is logged once, and the present one goes on answering. One that only has to wait for a part or for its
    disk is tried again, less and less often; when another one is promoted meanwhile, that one is tried instead. A folder that cannot be
    read is logged once, and looked at again.

    Args:
        holder: knows the present one.
        served_dir: where bundles are promoted.
        prepare: loads the promoted one.
        put: makes it the one that answers.
        look_s: seconds between two looks.
        count: called with each outcome, switched or refused.
    """
    log = get_logger("transformer")
    refused: int | None = None
    back_off = BackOff(LOOKS_PASSED_MAX)
    is_readable = True
    while True:
        await asyncio.sleep(look_s)
        try:
            promoted = await asyncio.to_thread(promoted_version, served_dir)
        except OSError as error:
            if is_readable:
                log.error("served folder cannot be read; the present bundle goes on", cause=str(error))
            is_readable = False
            continue
        is_readable = True
        present = holder.current.manifest.version if holder.current else None
        if promoted is None or promoted in (present, refused) or not back_off.is_due(promoted):
            continue
        try:
            newer = await prepare()
            put(newer)
            back_off.succeeded()
            count("switched")
            log.info("bundle switched", bundle=newer.name, was=present)
        except ANYTHING as error:  # whatever is wrong with the new bundle, the present one goes on
            why = {"version": promoted, "kind": type(error).__name__, "cause": str(error)}
            if not await asyncio.to_thread(is_promoted, served_dir, promoted):
                log.info("promoted bundle was followed by another", **why)
            elif not isinstance(error, DependencyUnavailable | OSError):
                refused = promoted
                count("refused")
                log.error("promoted bundle cannot be served", **why)
            elif back_off.failed(promoted) == 1:
                count("refused")
                log.error("promoted bundle has to wait", **why)


def promoted_version(served_dir: Path) -> int | None:
    """The version to be served; None when there is none, or it went while it was looked for.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        return served_version(served_dir)
    except FileNotFoundError:
        return None


def is_promoted(served_dir: Path, version: int) -> bool:
    """Whether a version still is the one to be served; a folder that cannot be read names no other."""
    try:
        return promoted_version(served_dir) == version
    except OSError:
        return True


class VectorIndex(Protocol):
    """Where the bundle's collection is."""

    def check(self, collection: str) -> None: ...


class ModelServer(Protocol):
    """Where the bundle's model is loaded."""

    async def wait_until_available(self, version: int, timeout_s: float) -> None: ...


async def await_promoted(served_dir: Path, index: VectorIndex, models: ModelServer, wait_s: float, look_s: float = LOOK_SECONDS) -> Bundle:
    """The promoted bundle, once its collection is there and its model is loaded.

    They are checked before a table is read: a bundle may have to wait for them, and the tables of a large catalogue would be read in vain.

    Args:
        served_dir: where bundles are promoted.
        index: has to have the collection.
        models: has to have loaded the model.
        wait_s: how long a model server that still loads is waited for.
        look_s: seconds between two looks whether the bundle is still the promoted one.

    Raises:
        BundleInvalid: the bundle is damaged.
        DependencyUnavailable: a part cannot answer with it yet, or another bundle was promoted meanwhile.
    """
    bundle = await asyncio.to_thread(served_bundle, served_dir)
    try:
        await asyncio.to_thread(index.check, bundle.manifest.collection)
    except BundleInvalid as error:  # nothing is wrong with the bundle's own files: the index may still come
        raise DependencyUnavailable(error.message, field=error.field, value=error.value, fix=error.fix) from error
    await _model_loaded(served_dir, bundle.manifest.version, models, wait_s, look_s)
    return bundle


async def _model_loaded(served_dir: Path, version: int, models: ModelServer, wait_s: float, look_s: float) -> None:
    waiting = asyncio.create_task(models.wait_until_available(version, wait_s))
    try:
        while not (await asyncio.wait({waiting}, timeout=look_s))[0]:
            if not await asyncio.to_thread(is_promoted, served_dir, version):
                raise DependencyUnavailable("another bundle was promoted meanwhile", field="version", value=version)
        await waiting
    finally:
        waiting.cancel()
