"""CPU of one list in the transformer's own code: `python -m endcap_benchmarks.micro.own_path` prints milliseconds by stage.

The request path over a home of the serving benchmark, from a body's bytes to the answer's, with its real feature store. Milvus and the
model server answer at once, with made up numbers, so that nothing but the process's own work is counted; their clients are left out too.
"""

import asyncio
import cProfile
import pstats
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import typer
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from endcap.cli.output import print_table
from endcap.contracts.signatures import ENCODE_QUERY
from endcap.core.settings import Settings, load_settings
from endcap.engine.retrieval.candidates import Candidates
from endcap.release.bundle.promotion import served_bundle
from endcap_benchmarks.serving.home import HomeSize, home_of, make_home
from endcap_benchmarks.serving.load.mix import made_population, make_requests
from endcap_benchmarks.synthetic.bundle import DATA_END
from endcap_transformer.clients.connections import open_online_store
from endcap_transformer.live.bundle_watch import BundleHolder
from endcap_transformer.live.live_changes import LiveChanges
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.features import FeatureReader
from endcap_transformer.path.request_path import RequestPath
from endcap_transformer.resilience.answer_cache import v1_body
from endcap_transformer.server.predict_v1 import instances_of_v1
from endcap_transformer.server.server import path_parts
from endcap_transformer.telemetry.metrics import ServingMetrics

GENEROUS = {"request_budget_ms": 60_000, "features_timeout_ms": 9_000, "retrieval_timeout_ms": 9_000, "rank_timeout_ms": 9_000}


class MadeNeighbours:
    """A vector index that finds other items at each call."""

    def __init__(self, items: int, random: np.random.Generator) -> None:
        self._items = items
        self._random = random

    def check(self, collection: str) -> None: ...

    async def search(
        self,
        collection: str,  # noqa: ARG002
        embedding: NDArray[np.float32],  # noqa: ARG002
        limit: int,
        *,
        where: str | None,  # noqa: ARG002
        timeout_ms: float,  # noqa: ARG002
    ) -> Candidates:
        first = int(self._random.integers(self._items))
        index = (first + np.arange(limit, dtype=np.int64) * 7919) % self._items + 1
        return Candidates(index.astype(np.int32), np.linspace(0.9, 0.1, limit, dtype=np.float32))


class MadeModel:
    """A model server whose probabilities are drawn."""

    def __init__(self, served: ServedBundle, random: np.random.Generator) -> None:
        self._served = served
        self._random = random

    async def predict(
        self,
        signature: str,
        version: int,  # noqa: ARG002
        inputs: Mapping[str, NDArray[Any]],
    ) -> dict[str, NDArray[Any]]:
        manifest = self._served.manifest
        if signature == ENCODE_QUERY:
            vector = self._random.normal(size=(1, manifest.embedding_dim)).astype(np.float32)
            return {"embedding": vector / np.linalg.norm(vector), "collection": np.array([manifest.collection.encode()], dtype=object)}
        rows = len(inputs["item_index"])
        return {name: self._random.random(rows, dtype=np.float32) * np.float32(0.1) for name in manifest.objectives}


class NoLog:
    """Takes impressions and keeps none."""

    def emit(self, batch: object) -> None: ...


@dataclass(frozen=True)
class OwnPath:
    """A request path whose other parts are made up."""

    path: RequestPath
    served: ServedBundle

    @classmethod
    def over(cls, settings: Settings, seed: int) -> "OwnPath":
        random = np.random.default_rng(seed)
        metrics = ServingMetrics(CollectorRegistry())
        served = LiveChanges(settings, BundleHolder(), metrics).load(served_bundle(settings.served_dir))
        features = FeatureReader(open_online_store(settings), settings, metrics)
        index = MadeNeighbours(len(served.tables.items.ids) - 1, random)
        return cls(RequestPath(path_parts(settings, features, index, MadeModel(served, random), NoLog(), metrics)), served)  # type: ignore[arg-type]

    async def answered(self, bodies: Sequence[bytes]) -> Sequence[Mapping[str, float]]:
        """Answer one after the other; what each stage took, in ms."""
        timings = []
        for number, body in enumerate(bodies):
            began = time.perf_counter()
            instances = instances_of_v1(body)
            plans = self.path.plans(instances)
            parsed_ms = (time.perf_counter() - began) * 1000
            made = await self.path.recommend(instances[0], plans[0], self.served, f"own-path-{number}", parsed_ms)
            encoded = time.perf_counter()
            v1_body([made])
            ended = time.perf_counter()
            timings.append(made.timings_ms | {"encode": (ended - encoded) * 1000, "whole": (ended - began) * 1000})
        return timings


def main(items: int = 100_000, requests: int = 600, seed: int = 7, functions: int = 0) -> None:
    """Print p50, mean and p99 by stage, and the process's CPU a request.

    Args:
        items: of the home, which is made where it is missing.
        requests: how many lists; as many again go before, unmeasured.
        seed: what is asked for follows from it.
        functions: so many of the functions that took most, by a profiler that makes all of it slower.
    """
    settings = load_settings()
    size = HomeSize(items)
    make_home(settings, size, print)
    changed = {"home": home_of(settings, items), "replay_at": DATA_END, "serving": settings.serving.model_copy(update=GENEROUS)}
    own = OwnPath.over(settings.model_copy(update=changed), seed)
    _, instances = make_requests(made_population(size), 2 * requests, seed)
    bodies = [orjson.dumps({"instances": [instance]}) for instance in instances]
    with asyncio.Runner() as runner:
        runner.run(own.answered(bodies[:requests]))
        profiler = cProfile.Profile()
        if functions:
            profiler.enable()
        before = time.process_time()
        timings = runner.run(own.answered(bodies[requests:]))
        cpu_ms = (time.process_time() - before) * 1000 / requests
        profiler.disable()
    _print(timings, cpu_ms)
    if functions:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(functions)


def _print(timings: Sequence[Mapping[str, float]], cpu_ms: float) -> None:
    by_stage: dict[str, list[float]] = defaultdict(list)
    for timing in timings:
        for stage, took_ms in timing.items():
            by_stage[stage].append(took_ms)
    rows = [
        {"stage": stage, "lists": len(took), "p50 ms": np.median(took), "mean ms": np.mean(took), "p99 ms": np.quantile(took, 0.99)}
        for stage, took in by_stage.items()
    ]
    print_table(f"Own code of the transformer: {cpu_ms:.2f} ms of CPU a list", rows)


if __name__ == "__main__":
    typer.run(main)
