"""What an algorithm of recommending is: something that learns from purchases and scores items for people it may never have seen."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.item_to_item import ItemToItem

NOT_RECOMMENDED = np.float32(-np.inf)
"""Score of an item that an algorithm has nothing to say about."""


@dataclass(frozen=True)
class TrainingData:
    """What an algorithm learns from.

    Attributes:
        interactions: purchases before the moment, of the items that may be recommended.
        items: the catalogue of n items; None where only ids are known.
        attributes: int32 [n + 1, a], codes of each item's attributes from 1, 0 for none; a may be 0.
        image_embeddings: float32 [n + 1, d], zeros where an item has no image; None where no item has.
    """

    interactions: Interactions
    items: ItemTable | None
    attributes: NDArray[np.int32]
    image_embeddings: NDArray[np.float32] | None = None


class Fitted(Protocol):
    """An algorithm that has learned."""

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [histories.users, n + 1], higher is better, NOT_RECOMMENDED where it says nothing; column 0 always is.

        Args:
            histories: what is known of the people to recommend to; they need not be those of the training data. What they bought before
                is scored like anything else: leaving it out is the caller's choice.
        """


class Algorithm(Protocol):
    """An algorithm with its settings. Implementations are frozen pydantic models that forbid extra fields: settings are checked."""

    def fit(self, data: TrainingData, seed: int) -> Fitted:
        """Learn from the data; everything random follows from `seed`."""


@runtime_checkable
class HasItemVectors(Protocol):
    """A fitted algorithm whose items are vectors: its item-to-item table are the nearest by cosine."""

    def item_vectors(self) -> NDArray[np.float32]:
        """float32 [n + 1, d], row 0 zeros."""


@runtime_checkable
class HasProbabilities(Protocol):
    """A fitted algorithm that says how likely people are to buy each item next; what it says is held against what they bought."""

    def probabilities(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [histories.users, n + 1], 0 to 1; not finite where it says nothing."""


@runtime_checkable
class HasNeighbours(Protocol):
    """A fitted algorithm that knows each item's neighbours itself."""

    def neighbours(self, count: int) -> ItemToItem:
        """The `count` nearest items of every item."""
