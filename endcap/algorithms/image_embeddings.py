"""Image embeddings as an optional column of the items."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.core.errors import InvalidInput

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
