"""Query: the user as a point among the item embeddings."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.signatures import ENCODE_QUERY
from endcap.retrieval.context import context_codes
from endcap.retrieval.user_state import UserState
from transformers.model_server_client import ModelServerClient, text
from transformers.resolving import ResolvedRequest


@dataclass(frozen=True)
class Person:
    """Who a request is for: the state, and what both signatures read of it, float32 and int32 [1, ...]."""

    state: UserState
    user_numeric: NDArray[np.float32]
    user_categories: NDArray[np.int32]
    context: NDArray[np.int32]

    @classmethod
    def of(cls, state: UserState, request: ResolvedRequest) -> "Person":
        context = context_codes(request.now, request.instance.surface.value, request.instance.context.device)
        return cls(state, state.numeric[None, :], state.categories[None, :], context[None, :])


@dataclass(frozen=True)
class Query:
    """float32 [dim], unit length, and the collection of the bundle that made it."""

    embedding: NDArray[np.float32]
    collection: str


async def encode_query(client: ModelServerClient, version: int, person: Person) -> Query:
    """Ask the model server for the query embedding.

    Raises:
        DependencyUnavailable: it does not answer.
    """
    history, age_days = person.state.padded_history()
    outputs = await client.predict(
        ENCODE_QUERY,
        version,
        {
            "history": history[None, :],
            "history_age_days": age_days[None, :],
            "user_numeric": person.user_numeric,
            "user_categories": person.user_categories,
            "context": person.context,
        },
    )
    return Query(outputs["embedding"][0], text(outputs["collection"]))
