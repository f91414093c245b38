"""A feature store, a vector search and a model server that answer one list or many alike, and count how often they are asked."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from endcap.contracts.signatures import ENCODE_QUERY
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import BulkSettings, ResilienceSettings, ServingSettings, Settings
from endcap.engine.retrieval.candidates import Candidates
from endcap_benchmarks.synthetic.bundle import SyntheticSize, make_feature_row
from endcap_transformer.bulk.lane import BulkLane
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.features import FeatureReader
from endcap_transformer.path.request_path import PathParts, RequestPath
from endcap_transformer.resilience.admission import Admission, LoopLag
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.server import path_parts
from endcap_transformer.telemetry.metrics import ServingMetrics

SIZE = SyntheticSize(items=300, dim=8, neighbours=10)
IDS = [f"I{number:06d}" for number in range(300)]
GENEROUS_MS = 20_000


class MadeStore:
    """Knows U0 to U19, and sessions S0 to S19 that looked at one item; `fails` for whoever asks."""

    def __init__(self) -> None:
        self.reads = 0
        self.fails = False
        self._rows = {f"U{number}": make_feature_row(f"U{number}", SIZE, pairs=20) for number in range(20)}

    def read(self, user_id: str | None, session_id: str | None) -> Mapping[str, Any] | None:
        return self.read_many([(user_id, session_id)])[0]

    def read_many(self, asked: Sequence[tuple[str | None, str | None]]) -> list[Mapping[str, Any] | None]:
        self.reads += 1
        if self.fails:
            raise DependencyUnavailable("no such table")
        return [self._row(*each) for each in asked]

    def _row(self, user_id: str | None, session_id: str | None) -> Mapping[str, Any] | None:
        user = self._rows.get(user_id or "")
        looked_at = None if session_id is None else {"session_item_ids": [IDS[int(session_id[1:])]]}
        return {"user": user, "session": looked_at} if user or looked_at else None


class MadeSearch:
    """Exact."""

    def __init__(self, served: ServedBundle) -> None:
        self.searches = 0
        self._embeddings = served.tables.item_embeddings

    def check(self, collection: str) -> None: ...

    async def search(
        self, collection: str, embedding: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> Candidates:
        return (await self.search_many(collection, embedding[None, :], limit, where=where, timeout_ms=timeout_ms))[0]

    async def search_many(
        self, _collection: str, embeddings: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> list[Candidates]:
        del where, timeout_ms
        self.searches += 1
        index = np.arange(1, len(self._embeddings), dtype=np.int32)
        return [Candidates.best(index, (self._embeddings[1:] * each).sum(axis=1), limit) for each in embeddings]


class MadeModel:
    """A query is where the person's numbers point; what is ranked depends on query, person and pair."""

    def __init__(self, served: ServedBundle, fails: str | None = None) -> None:
        self.calls: list[str] = []
        self.fails = fails
        self._dim = served.manifest.embedding_dim

    async def predict(self, signature: str, _version: int, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        self.calls.append(signature)
        if signature == self.fails:
            raise DependencyUnavailable("UNAVAILABLE")
        if signature == ENCODE_QUERY:
            rows = np.cumsum(np.ones((len(inputs["user_numeric"]), self._dim), np.float32), axis=1)
            vectors = np.sin(rows * (1 + inputs["user_numeric"].sum(axis=1, keepdims=True))).astype(np.float32)
            return {
                "embedding": vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
                "collection": np.array([b"endcap_1"], dtype=object),
            }
        query = inputs["query_embedding"][inputs["query_row"]].sum(axis=1)
        numbers = inputs["user_numeric"].sum(axis=1)[inputs["query_row"]]
        buy = 1 / (1 + np.exp(query + 0.01 * np.sin(numbers) - 0.1 * inputs["pair_numeric"].sum(axis=1) + 0.01 * inputs["item_index"]))
        return {"buy": buy.astype(np.float32), "buy_again": (buy / 2).astype(np.float32)}


class Listed:
    """Impressions that were logged."""

    def __init__(self) -> None:
        self.batches: list[Any] = []

    def emit(self, batch: Any) -> None:
        self.batches.append(batch)


class MadeShop:
    """Path and bulk lane over the same parts."""

    def __init__(self, served: ServedBundle, fails: str | None = None, **bulk: Any) -> None:
        self.settings = Settings(
            bulk=BulkSettings(**bulk),
            serving=ServingSettings(
                request_budget_ms=GENEROUS_MS, features_timeout_ms=5_000, retrieval_timeout_ms=5_000, rank_timeout_ms=5_000
            ),
        )
        self.registry = CollectorRegistry()
        self.metrics = ServingMetrics(self.registry)
        self.store, self.search, self.model = MadeStore(), MadeSearch(served), MadeModel(served, fails)
        self.log = Listed()
        features = FeatureReader(self.store, self.settings, self.metrics)
        self.parts: PathParts = path_parts(self.settings, features, self.search, self.model, self.log, self.metrics)  # type: ignore[arg-type]
        self.path = RequestPath(self.parts)
        lag = LoopLag(self.metrics.event_loop_lag.observe)
        self.admission = Admission(ResilienceSettings(), GENEROUS_MS, self.metrics, lag, ConcurrencyLimit(64))

    def lane(self) -> BulkLane:
        """Make the lane, inside the running event loop."""
        return BulkLane(self.parts, self.store, self.search, self.admission)

    def fresh_path(self) -> RequestPath:
        """A path without anything in its caches."""
        return RequestPath(replace(self.parts, features=FeatureReader(self.store, self.settings, self.metrics)))
