"""Query: the user as a point among the item embeddings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.signatures import ENCODE_QUERY
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import CacheSettings
from endcap.engine.retrieval.context import context_codes
from endcap.engine.retrieval.user_state import UserState
from endcap_transformer.clients.model_server_client import PredictCall, checked, text
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.resolving import ResolvedRequest
from endcap_transformer.resilience.cached_lookup import CachedLookup
from endcap_transformer.telemetry.metrics import ServingMetrics
from endcap_transformer.telemetry.own_cpu import Metered

AGE_STEPS_A_DAY = 10
"""Ages in the key of a kept query embedding are rounded to so many parts of a day: it moves no further than that in its time to live."""


@dataclass(frozen=True)
class Person:
    """Who a request is for: the state, and what both signatures read of it, float32 and int32 [1, ...]."""

    state: UserState
    user_numeric: NDArray[np.float32]
    user_categories: NDArray[np.int32]
    context: NDArray[np.int32]

    @classmethod
    def of(cls, state: UserState, request: ResolvedRequest) -> "Person":
        device = request.instance.context.device if request.surface.use_context else None
        context = context_codes(request.now, request.surface.trained_as, device)
        return cls(state, state.numeric[None, :], state.categories[None, :], context[None, :])

    @cached_property
    def fingerprint(self) -> tuple[bytes, ...]:
        """Everything of a person that the query embedding depends on: their next event makes another one."""
        state = self.state
        ages = (state.history_age_days * AGE_STEPS_A_DAY).astype(np.int32)
        history = (state.history.tobytes(), state.history_signal.tobytes(), ages.tobytes())
        return *history, state.numeric.tobytes(), state.categories.tobytes(), self.context.tobytes()


@dataclass(frozen=True)
class Query:
    """float32 [dim], unit length, and the collection of the bundle that made it."""

    embedding: NDArray[np.float32]
    collection: str


class QueryEncoder(Protocol):
    """Makes query embeddings of people."""

    def cached(self, served: ServedBundle, person: Person) -> Query | None:
        """The embedding if there is one already, without a call."""

    async def encode(self, served: ServedBundle, person: Person) -> Query:
        """The embedding of a person for whom `cached` has none."""


class CachedQueryEncoder:
    """Query embeddings from the model server; those of people who come often are kept.

    Args:
        client: of the model server.
        settings: how long and how many.
        metrics: where look-ups are counted.
    """

    def __init__(self, client: PredictCall, settings: CacheSettings, metrics: ServingMetrics) -> None:
        self._client = client
        self._cache: CachedLookup[tuple[object, ...], Query] = CachedLookup(
            settings.query_entries, settings.query_seconds, metrics.cache("query")
        )
        self._own_cpu = metrics.own_cpu

    def cached(self, served: ServedBundle, person: Person) -> Query | None:
        """The embedding if it is still fresh, without a call."""
        return self._cache.peek(_key(served, person), None)

    async def encode(self, served: ServedBundle, person: Person) -> Query:
        """The query embedding of a person for whom `cached` has none.

        Raises:
            DependencyUnavailable: the model server does not answer, or answers for another bundle.
        """
        return await self._cache.compute(_key(served, person), lambda: self._metered(served, person))

    async def _metered(self, served: ServedBundle, person: Person) -> Query:
        return await Metered(encode_query(self._client, served, person), self._own_cpu.inc)


async def encode_query(client: PredictCall, served: ServedBundle, person: Person) -> Query:
    """Ask the model server, past the cache.

    Raises:
        DependencyUnavailable: it does not answer, or answers for another bundle.
    """
    inputs = {name: values[None, :] for name, values in person.state.query_history().items()}
    inputs |= {"user_numeric": person.user_numeric, "user_categories": person.user_categories, "context": person.context}
    taken = {name: inputs[name] for name in served.manifest.query_inputs}
    outputs = await client.predict(ENCODE_QUERY, served.manifest.version, taken)
    collection = text(outputs, "collection")
    if collection != served.manifest.collection:
        raise DependencyUnavailable("the model server answers for another bundle", field="collection", value=collection)
    return Query(checked(outputs, "embedding", (1, served.manifest.embedding_dim))[0], collection)


def _key(served: ServedBundle, person: Person) -> tuple[object, ...]:
    return served.manifest.version, person.fingerprint
