"""What the lists of a batch read from other parts, as one call a kind: features, signatures of the model server, neighbours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap_transformer.bulk.batch import Batch, GatheredCalls
from endcap_transformer.clients.model_server_client import PredictCall
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.features import OnlineRead, Row
from endcap_transformer.path.query import Person, Query, encode_query
from endcap_transformer.resilience.cached_lookup import MISSING, Missing
from endcap_transformer.resilience.guards import BoundedThreads

Inputs = Mapping[str, NDArray[Any]]
Outputs = dict[str, NDArray[Any]]
QUERY_ROW = "query_row"
"""The input that says which query a candidate belongs to."""


class ManySearch(Protocol):
    """Milvus, for many vectors at once."""

    async def search_many(
        self, collection: str, embeddings: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> list[Candidates]:
        """The nearest items of float32 [q, dim], one list of candidates each."""


class GatheredFeatures:
    """Features of a batch by one read; past the cache, which is for who comes again in a moment.

    Args:
        batch: the lists.
        store: the online store.
        threads: that reads run in.
    """

    def __init__(self, batch: Batch, store: OnlineRead, threads: BoundedThreads) -> None:
        self._store = store
        self._threads = threads
        self._reads: GatheredCalls[None, tuple[str | None, str | None], Row] = GatheredCalls(batch, self._read)

    def cached(self, _user_id: str | None, _session_id: str | None) -> Row | Missing:
        return MISSING

    async def read(self, user_id: str | None, session_id: str | None) -> Row:
        """The known parts, from the store.

        Raises:
            DependencyUnavailable: it does not answer.
        """
        return None if user_id is None and session_id is None else await self._reads.ask(None, (user_id, session_id))

    async def _read(self, _kind: None, asked: Sequence[tuple[str | None, str | None]]) -> Sequence[Row]:
        return await self._threads.start(self._store.read_many, asked)


class GatheredModel:
    """The model server, asked once for all lists that call one signature of one version.

    Args:
        batch: the lists.
        model: client of the model server.
    """

    def __init__(self, batch: Batch, model: PredictCall) -> None:
        self._model = model
        self._calls: GatheredCalls[tuple[str, int], Inputs, Outputs] = GatheredCalls(batch, self._predict)

    async def predict(self, signature: str, version: int, inputs: Inputs) -> Outputs:
        """Run one signature of one version.

        Raises:
            DependencyUnavailable: the server does not answer.
        """
        return await self._calls.ask((signature, version), inputs)

    async def _predict(self, kind: tuple[str, int], inputs: Sequence[Inputs]) -> Sequence[Outputs]:
        outputs = await self._model.predict(*kind, stacked(inputs))
        return shared_out(outputs, [len(each[QUERY_ROW]) if QUERY_ROW in each else 1 for each in inputs])


class GatheredSearch:
    """Neighbours of all lists that search one collection by one expression.

    Args:
        batch: the lists.
        search: the vector search.
    """

    def __init__(self, batch: Batch, search: ManySearch) -> None:
        self._search = search
        self._calls: GatheredCalls[tuple[str, str | None], _Wanted, Candidates] = GatheredCalls(batch, self._searched)

    async def search(
        self, collection: str, embedding: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> Candidates:
        """The nearest items that fulfil `where`.

        Raises:
            DependencyUnavailable: Milvus does not answer.
        """
        return await self._calls.ask((collection, where), _Wanted(embedding, limit, timeout_ms))

    async def _searched(self, kind: tuple[str, str | None], asked: Sequence["_Wanted"]) -> Sequence[Candidates]:
        collection, where = kind
        embeddings, limit = np.stack([call.embedding for call in asked]), max(call.limit for call in asked)
        timeout_ms = max(call.timeout_ms for call in asked)
        found = await self._search.search_many(collection, embeddings, limit, where=where, timeout_ms=timeout_ms)
        return [Candidates(each.index[: call.limit], each.score[: call.limit]) for call, each in zip(asked, found, strict=True)]


@dataclass(frozen=True)
class _Wanted:
    embedding: NDArray[np.float32]
    limit: int
    timeout_ms: float


class UncachedQueryEncoder:
    """Query embeddings past the cache: of a million people of a mailing hardly one comes again before it is full.

    Args:
        model: client of the model server.
    """

    def __init__(self, model: PredictCall) -> None:
        self._model = model

    def cached(self, _served: ServedBundle, _person: Person) -> Query | None:
        return None

    async def encode(self, served: ServedBundle, person: Person) -> Query:
        """The query embedding of a person.

        Raises:
            DependencyUnavailable: the model server does not answer, or answers for another bundle.
        """
        return await encode_query(self._model, served, person)


def stacked(inputs: Sequence[Inputs]) -> Outputs:
    """The inputs of several calls as those of one; rows of candidates go on naming their own call's query.

    Args:
        inputs: of each call, all with the same names.
    """
    together = {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}
    if QUERY_ROW in together:
        rows = [len(each[QUERY_ROW]) for each in inputs]
        together[QUERY_ROW] = np.repeat(np.arange(len(inputs), dtype=np.int32), rows)
    return together


def shared_out(outputs: Inputs, rows: Sequence[int]) -> list[Outputs]:
    """The outputs of one call, each list's rows of its own; what has not a row for each is everybody's.

    Args:
        outputs: by name.
        rows: of each list.
    """
    ends = np.cumsum(rows)
    of_each: list[Outputs] = [{} for _ in rows]
    for name, values in outputs.items():
        is_split = values.ndim > 0 and len(values) == ends[-1]
        for part, end, count in zip(of_each, ends.tolist(), rows, strict=True):
            part[name] = values[end - count : end] if is_split else values
    return of_each
