"""Image: items that look like what the person bought, by embeddings that come with the data."""

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.vector_scores import MeanOfHistory, VectorScores, unit_length
from endcap.algorithms.weights import default_decay_days
from endcap.core.errors import InvalidInput


class Image(BaseModel):
    """Cosine of image embeddings with the middle of the person's own; any image model may have made them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decay_days: float | None = Field(
        default=None, gt=0, description="Age after which a purchase counts 1/e; steps where times are unknown."
    )

    def fit(self, data: TrainingData, seed: int) -> VectorScores:  # noqa: ARG002 - nothing is random
        """Normalise; `seed` changes nothing.

        Raises:
            InvalidInput: the data has no image embeddings, or not one row an item.
        """
        given = data.image_embeddings
        if given is None:
            raise InvalidInput(
                "the data has none", field="image_embeddings", fix="give the items an embedding column, or another algorithm"
            )
        expected = data.interactions.item_count + 1
        if given.ndim != 2 or len(given) != expected:
            raise InvalidInput("has a row of zeros, then one an item", field="image_embeddings", value=given.shape, fix=f"{expected} rows")
        known = np.asarray(np.any(given != 0, axis=1))
        known[0] = False
        # Around their mean: embeddings of one model share a direction that tells nothing.
        vectors = unit_length(np.where(known[:, None], given - given[known].mean(axis=0), 0)) if known.any() else given.astype(np.float32)
        return VectorScores(vectors, known, MeanOfHistory(vectors, self.decay_days or default_decay_days(data.interactions)))


COLUMN = "image_embedding"


def image_embeddings_of(items: pl.DataFrame) -> NDArray[np.float32] | None:
    """float32 [n + 1, d], row 0 and items without an image zeros; None where the column is missing or empty.

    Args:
        items: rows sorted by item_id; COLUMN holds a list of numbers, of one length, or null.

    Raises:
        InvalidInput: lists differ in length.
    """
    if COLUMN not in items.columns or items[COLUMN].null_count() == len(items):
        return None
    given = items[COLUMN].cast(pl.List(pl.Float32))
    lengths = given.list.len().drop_nulls().unique().sort().to_list()
    if len(lengths) != 1:
        raise InvalidInput("embeddings differ in length", field=COLUMN, value=lengths, fix="make all of them with one model")
    embeddings = np.zeros((len(items) + 1, lengths[0]), dtype=np.float32)
    has = given.is_not_null().to_numpy()
    embeddings[1:][has] = given.drop_nulls().explode().to_numpy().reshape(-1, lengths[0])
    return embeddings
