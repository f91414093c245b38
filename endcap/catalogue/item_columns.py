"""Columns of the canonical items table as arrays by item index, without a Python object a row."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary

CATEGORY_LEVELS = 3
PATH_SEPARATOR = " > "
_BETWEEN_LEVELS = "\x1f"
"""Stands between levels while paths are told apart, since a level's name may hold PATH_SEPARATOR."""


def after_padding(values: NDArray, padding: object) -> NDArray:  # type: ignore[type-arg]
    """[n] -> [n + 1] with `padding` in front, in the dtype of `values`."""
    padded = np.empty(len(values) + 1, dtype=values.dtype)
    padded[0] = padding
    padded[1:] = values
    return padded


def coded(names: pl.Series) -> tuple[Vocabulary, NDArray[np.int32]]:
    """The distinct non-empty names, sorted, and int32 [n] codes of every row, 0 where it has none."""
    distinct = names.drop_nulls().unique().sort()
    distinct = distinct.filter(distinct != "")
    return Vocabulary(distinct), _places(names, distinct)


def category_codes(paths: pl.Series) -> tuple[Vocabulary, NDArray[np.int32], NDArray[np.int32]]:
    """Category paths as codes of their levels.

    Args:
        paths: lists of text [n], broadest level first; empty levels do not count.

    Returns:
        Every level's path, the finest ones included; int32 [n + 1, CATEGORY_LEVELS]; int32 [n + 1] of the finest path.
    """
    joined = _without_empty_levels(paths).list.join(_BETWEEN_LEVELS).fill_null("")
    distinct = joined.unique().sort()
    levels = [[part for part in path.split(_BETWEEN_LEVELS) if part] for path in distinct.to_list()]
    prefixes = [[PATH_SEPARATOR.join(path[: level + 1]) for level in range(len(path))] for path in levels]
    categories = Vocabulary.of(prefix for row in prefixes for prefix in row)
    cuts = [*range(CATEGORY_LEVELS), -1]
    by_path = np.array([categories.codes([_cut(row, cut) for row in prefixes]) for cut in cuts], dtype=np.int32).T
    by_item = after_padding_row(by_path[_places(joined, distinct) - 1])
    return categories, np.ascontiguousarray(by_item[:, :CATEGORY_LEVELS]), np.ascontiguousarray(by_item[:, -1])


def after_padding_row(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """[n, m] -> [n + 1, m] with zeros in front."""
    return np.concatenate([np.zeros((1, codes.shape[1]), dtype=np.int32), codes])


def _without_empty_levels(paths: pl.Series) -> pl.Series:
    has_empty = paths.explode(empty_as_null=False).is_in(["", None], nulls_equal=True).any() if len(paths) else False
    return paths.list.eval(pl.element().filter(pl.element() != "")) if has_empty else paths


def _cut(row: list[str], level: int) -> str | None:
    return row[min(level, len(row) - 1)] if row else None


def _places(names: pl.Series, distinct: pl.Series) -> NDArray[np.int32]:
    """int32 [n]: place of each name in the sorted `distinct`, from 1; 0 where it is not there."""
    known = pl.DataFrame({"name": distinct, "place": np.arange(1, len(distinct) + 1, dtype=np.int32)})
    found = names.to_frame("name").join(known, on="name", how="left", maintain_order="left")
    return found["place"].fill_null(0).to_numpy().astype(np.int32, copy=False)
