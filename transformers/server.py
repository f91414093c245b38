"""The transformer's process: connect, load the served bundle, warm up, then serve."""

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress

import uvloop
from prometheus_client import REGISTRY

from endcap.bundle.promotion import MODEL_FOLDER, served_bundle
from endcap.cli.failures import report_failure
from endcap.contracts.request import Instance, Surface
from endcap.errors import EndcapError
from endcap.log import configure_logging, get_logger
from endcap.serving.messages import serving_messages
from endcap.settings import Settings, load_settings
from transformers.answer_cache import AnswerCache
from transformers.bundle_watch import BundleHolder, watch_bundle
from transformers.connections import open_index, open_online_store
from transformers.draining import exit_soon
from transformers.features import FeatureReader, OnlineRead
from transformers.kserve_server import BoundModelServer
from transformers.log_bridge import bridge_logs
from transformers.metrics import ServingMetrics
from transformers.model import RecommendationModel
from transformers.model_server_client import ModelServerClient
from transformers.request_path import RequestPath
from transformers.retrieval import TwoTowerSearch, VectorSearch
from transformers.served_bundle import ServedBundle, load_served_bundle

WARM_UP_LISTS = 20
WAIT_SECONDS = 90.0
"""All parts start together; the slowest imports TensorFlow."""


class Transformer:
    """The parts of one transformer, put together inside the running event loop.

    Args:
        settings: all settings.
        store: the online feature store.
        index: the vector search.
        wait_s: how long parts that are still starting are waited for.
    """

    def __init__(self, settings: Settings, store: OnlineRead, index: VectorSearch, wait_s: float) -> None:
        self._settings = settings
        self._index = index
        self._wait_s = wait_s
        self._metrics = ServingMetrics(REGISTRY)
        self._features = FeatureReader(store)
        self._search = TwoTowerSearch(index)
        self._client = ModelServerClient(serving_messages(), settings.model_server, MODEL_FOLDER)
        self._path = RequestPath(settings, self._features, self._search, self._client, self._metrics)
        self._holder = BundleHolder()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            EndcapError: there is no sound bundle, or Milvus or the model server cannot answer with it.
        """
        self._holder.current = await self.prepare()
        _log_start(self._holder.current)
        watching = asyncio.create_task(watch_bundle(self._holder, self._settings.served_dir, self.prepare))
        cache = AnswerCache(self._settings.cache, self._metrics, lambda: self._holder.current and self._holder.current.name)
        try:
            model = RecommendationModel(self._settings.serving.model_name, self._path, self._holder, cache)
            await BoundModelServer(self._settings, self._metrics).serve(model)
            exit_soon()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await self._close()

    async def prepare(self) -> ServedBundle:
        """Load the promoted bundle and return when every part has answered with it."""
        bundle = await asyncio.to_thread(served_bundle, self._settings.served_dir)
        served = await asyncio.to_thread(load_served_bundle, bundle, self._settings)
        await asyncio.to_thread(self._index.check, served.manifest.collection)
        await self._client.wait_until_available(served.manifest.version, self._wait_s)
        await self._warm_up(served)
        gc.collect()
        gc.freeze()  # the catalogue's strings and dictionaries live as long as the bundle; a collection that walks them costs tens of ms
        return served

    async def _warm_up(self, served: ServedBundle) -> None:
        some_item = served.tables.items.ids.name(1)
        kinds = (
            Instance(user_id="endcap-warm-up", session_id="endcap-warm-up"),
            Instance(user_id="endcap-warm-up", surface=Surface.PRODUCT, item_ids=[some_item]),
        )
        for number in range(WARM_UP_LISTS):
            await self._path.recommend(kinds[number % len(kinds)], served, "warm-up")

    async def _close(self) -> None:
        await self._client.close()
        self._features.close()
        self._search.close()


def _log_start(served: ServedBundle) -> None:
    log = get_logger("transformer")
    if served.replay_at is None:
        log.info("serving", bundle=served.name, answers_as_of="now")
    else:
        log.info("serving recorded data: answering as of its end", bundle=served.name, answers_as_of=served.replay_at.isoformat())


def main(open_store: Callable[[Settings], OnlineRead] = open_online_store, wait_s: float = WAIT_SECONDS) -> int:
    """Run one transformer; the exit code says how it ended.

    Args:
        open_store: opens the online feature store.
        wait_s: how long Milvus and the model server are waited for.
    """
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        bridge_logs()
        served_bundle(settings.served_dir)
        store, index = open_store(settings), open_index(settings, wait_s)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, store, index, wait_s))
    except EndcapError as error:
        report_failure(error)
        return error.exit_code
    return 0


async def _run(settings: Settings, store: OnlineRead, index: VectorSearch, wait_s: float) -> None:
    await Transformer(settings, store, index, wait_s).run()
