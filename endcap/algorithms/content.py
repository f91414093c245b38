"""Content: items with the attributes of what the person bought, by TF-IDF and cosine (Salton and Buckley, 1988)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.neighbour_tables import table_of
from endcap.algorithms.weights import default_decay_days, inverse_frequency, recency_weights
from endcap.core.errors import InvalidInput
from endcap.engine.retrieval.item_to_item import ItemToItem


class Content(BaseModel):
    """Categories, brands and other attributes, rare ones counting more; for items that nobody bought too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> "FittedContent":  # noqa: ARG002 - nothing is random
        """Weigh attributes; `seed` changes nothing.

        Raises:
            InvalidInput: no item has an attribute.
        """
        if not data.attributes.any():
            raise InvalidInput("no item has any", field="attributes", fix="give items a category_path, a brand or attributes")
        return FittedContent(attribute_weights(data.attributes), self.decay_days or default_decay_days(data.interactions))


def attribute_weights(attributes: NDArray[np.int32]) -> sparse.csr_matrix:
    """float32 [n + 1, codes + 1]: each item's attributes (int32 [n + 1, a]) by inverse frequency, rows of length 1."""
    rows, places = np.nonzero(attributes)
    entries = (np.ones(len(rows), dtype=np.float32), (rows, attributes[rows, places]))
    has = sparse.csr_matrix(entries, shape=(len(attributes), int(attributes.max(initial=0)) + 1))
    has.sum_duplicates()
    has.data[:] = 1
    weighed = has.multiply(inverse_frequency(has)).tocsr()
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    scale = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
    return sparse.csr_matrix(sparse.diags(scale.astype(np.float32)) @ weighed, dtype=np.float32)


@dataclass(frozen=True)
class FittedContent:
    """Attribute weights by item, float32 [n + 1, codes + 1], and how fast a purchase loses its say."""

    items: sparse.csr_matrix
    decay_days: float

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]; items that share no attribute with the history are not recommended."""
        return self._scores(recency_weights(histories, self.decay_days))

    def neighbours(self, count: int) -> ItemToItem:
        """The items with the most attributes in common."""
        return table_of(self._scores, self.items.shape[0] - 1, count)

    def _scores(self, histories: sparse.csr_matrix) -> NDArray[np.float32]:
        scores = ((histories @ self.items) @ self.items.T).toarray()
        return np.where(scores > 0, scores, NOT_RECOMMENDED).astype(np.float32)
