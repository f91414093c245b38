"""The promoted bundle, once the parts around can answer with it.

They are asked before a table is read: a bundle may have to wait for them, and the tables of a large catalogue would be read in vain.
"""

import asyncio
from pathlib import Path
from typing import Protocol

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import served_bundle
from endcap_transformer.live.bundle_watch import LOOK_SECONDS, is_promoted


class VectorIndex(Protocol):
    """Where the bundle's collection is."""

    def check(self, collection: str) -> None: ...


class ModelServer(Protocol):
    """Where the bundle's model is loaded."""

    async def wait_until_available(self, version: int, timeout_s: float) -> None: ...


async def await_promoted(served_dir: Path, index: VectorIndex, models: ModelServer, wait_s: float, look_s: float = LOOK_SECONDS) -> Bundle:
    """Return when the collection is there and the model is loaded.

    Args:
        served_dir: where bundles are promoted.
        index: asked for the collection.
        models: asked for the model.
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
