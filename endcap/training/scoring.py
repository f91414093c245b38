"""The trained models as training and evaluation call them: many users at once, the same signatures as in serving."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.contracts.signatures import ENCODE_QUERY, HISTORY_INPUTS, RANK
from endcap.core.errors import DataRejected
from endcap.engine.ranking.pair_features import pair_features
from endcap.engine.ranking.value import BUY_VALUE
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.retrieval.context import context_codes
from endcap.engine.retrieval.item_to_item import Neighbours
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import PURCHASE_OBJECTIVES
from endcap.training.moment_tables import stamp

VISIT_NDCG = "visit_ndcg"
"""In `ranker.json`, what judges a ranker of visits: by what could order, NDCG@10 at moments of visits that it had not seen."""
QUERIES_A_CALL = 512
USERS_A_CALL = 64

Signature = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class TwoTowerArtifact:
    """A trained two-tower on disk: `saved_model/`, `item_embeddings.npy` and `item_embeddings_at/`."""

    path: Path

    @cached_property
    def _encode(self) -> Signature:
        return load_signature(self.path / "saved_model", ENCODE_QUERY)

    @cached_property
    def item_embeddings(self) -> NDArray[np.float32]:
        """float32 [n + 1, dim], unit length, row 0 zeros, as of the data's end: what is served."""
        embeddings: NDArray[np.float32] = np.load(self.path / "item_embeddings.npy")
        return embeddings

    def item_embeddings_at(self, moment: datetime) -> NDArray[np.float32]:
        """The same as of a ranking window, the cut or the data's end: the item tower sees how the shop sells at the moment.

        Raises:
            DataRejected: the artifact has no embeddings of the moment.
        """
        path = self.path / "item_embeddings_at" / f"{stamp(moment)}.npy"
        if not path.is_file():
            raise DataRejected("no item embeddings of this moment", field=str(path), fix="run the step train_two_tower again")
        embeddings: NDArray[np.float32] = np.load(path)
        return embeddings

    def encode(self, states: Sequence[UserState], context: NDArray[np.int32]) -> NDArray[np.float32]:
        """Query embeddings, float32 [len(states), dim].

        Args:
            states: users.
            context: int32 [len(CONTEXT)], the same for all, or int32 [len(states), len(CONTEXT)].
        """
        return encode_queries(self._encode, states, context)


@dataclass(frozen=True)
class RankerArtifact:
    """A trained ranker on disk: `saved_model/`, `ranker.json`."""

    path: Path

    @cached_property
    def signature(self) -> Signature:
        """`rank`, as it is served."""
        return load_signature(self.path / "saved_model", RANK)

    @cached_property
    def _described(self) -> dict[str, Any]:
        path = self.path / "ranker.json"
        return json.loads(path.read_bytes()) if path.is_file() else {}

    @property
    def objectives(self) -> list[str]:
        """What it was trained for, in the order of OBJECTIVES; purchases where it does not say."""
        return list(self._described.get("objectives", PURCHASE_OBJECTIVES))

    @property
    def value(self) -> dict[str, float]:
        """Exponents of the value of a surface that states none: `endcap.engine.ranking.value.default_value`."""
        return dict(self._described.get("value", BUY_VALUE))

    @property
    def visit_ndcg(self) -> dict[str, NDArray[np.float64]]:
        """By what could order, a value for each of the same moments of visits; empty where it did not learn from visits."""
        return {name: np.array(values, dtype=np.float64) for name, values in self._described.get(VISIT_NDCG, {}).items()}


def encode_queries(encode: Signature, states: Sequence[UserState], context: NDArray[np.int32]) -> NDArray[np.float32]:
    """Query embeddings by a signature `encode_query`; arguments as of `TwoTowerArtifact.encode`."""
    contexts = np.broadcast_to(context, (len(states), context.shape[-1]))
    parts = [slice(start, start + QUERIES_A_CALL) for start in range(0, len(states), QUERIES_A_CALL)]
    return np.concatenate([encode(**query_inputs(states[part], contexts[part]))["embedding"].numpy() for part in parts])


def score_candidates(  # noqa: PLR0917
    rank: Signature,
    states: Sequence[UserState],
    query_embeddings: NDArray[np.float32],
    candidate_sets: Sequence[CandidateSet],
    items: ItemTable,
    neighbours: Neighbours,
    context: NDArray[np.int32],
) -> list[dict[str, NDArray[np.float32]]]:
    """For each user, every output of `rank`, float32 [candidates].

    Args:
        rank: a signature `rank`.
        states: u users.
        query_embeddings: float32 [u, dim], from the query tower of the same run.
        candidate_sets: of each user.
        items: the catalogue with the numeric features of the moment.
        neighbours: the tables of neighbours of the moment.
        context: int32 [len(CONTEXT)], the same for all.
    """
    scores: list[dict[str, NDArray[np.float32]]] = []
    for start in range(0, len(states), USERS_A_CALL):
        part = slice(start, start + USERS_A_CALL)
        outputs = rank(**rank_inputs(states[part], query_embeddings[part], candidate_sets[part], items, neighbours, context))
        ends = np.cumsum([len(candidates) for candidates in candidate_sets[part]])[:-1]
        by_output = {name: np.split(values.numpy(), ends) for name, values in outputs.items()}
        scores += [{name: values[row] for name, values in by_output.items()} for row in range(len(states[part]))]
    return scores


def query_inputs(states: Sequence[UserState], contexts: NDArray[np.int32]) -> dict[str, Any]:
    """Inputs of `encode_query` for several users, as tensors.

    Args:
        states: n users.
        contexts: int32 [n, len(CONTEXT)].
    """
    import tensorflow as tf

    histories = [state.query_history() for state in states]
    return {
        **{name: tf.constant(np.stack([history[name] for history in histories])) for name in HISTORY_INPUTS},
        "user_numeric": tf.constant(np.stack([state.numeric for state in states])),
        "user_categories": tf.constant(np.stack([state.categories for state in states])),
        "context": tf.constant(np.ascontiguousarray(contexts, dtype=np.int32)),
    }


def rank_inputs(  # noqa: PLR0917
    states: Sequence[UserState],
    query_embeddings: NDArray[np.float32],
    candidate_sets: Sequence[CandidateSet],
    items: ItemTable,
    neighbours: Neighbours,
    context: NDArray[np.int32],
) -> dict[str, Any]:
    """Inputs of `rank` for several users and all their candidates, as tensors; arguments as of `score_candidates`."""
    import tensorflow as tf

    index = np.concatenate([candidates.index for candidates in candidate_sets])
    row = np.repeat(np.arange(len(states), dtype=np.int32), [len(candidates) for candidates in candidate_sets])
    pairs = [pair_features(state, candidates, items, neighbours) for state, candidates in zip(states, candidate_sets, strict=True)]
    return {
        "query_embedding": tf.constant(query_embeddings),
        "user_numeric": tf.constant(np.stack([state.numeric for state in states])),
        "user_categories": tf.constant(np.stack([state.categories for state in states])),
        "context": tf.constant(np.broadcast_to(context, (len(states), context.shape[-1]))),
        "query_row": tf.constant(row),
        "item_index": tf.constant(index),
        "item_numeric": tf.constant(items.numeric[index]),
        "pair_numeric": tf.constant(np.concatenate(pairs)),
    }


def evaluation_context(moment: datetime) -> NDArray[np.int32]:
    """The context that offline lists are made for: noon of the moment's day, surface and device unknown."""
    return context_codes(moment.replace(hour=12))


def load_signature(folder: Path, name: str) -> Signature:
    """One signature of a SavedModel.

    Raises:
        DataRejected: there is no SavedModel here, or it lacks the signature.
    """
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    except OSError as error:
        raise DataRejected("not a SavedModel", field=str(folder), fix="run the training step again") from error
    if name not in loaded.signatures:
        raise DataRejected("the SavedModel lacks a signature", field=str(folder), value=name, fix="run the training step again")
    signature = loaded.signatures[name]
    asked = signature.structured_input_signature[1]

    def call(**inputs: Any) -> Mapping[str, Any]:
        # The signature holds its model weakly: keep the whole thing alive.
        _ = loaded
        # A model of before has not all the inputs of today.
        outputs: Mapping[str, Any] = signature(**{name: value for name, value in inputs.items() if name in asked})
        return outputs

    return call
