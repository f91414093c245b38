"""Posting lists: the items of a category or brand, in an order that was settled when the bundle was loaded."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import PATH_SEPARATOR
from endcap.catalogue.vocabulary import Vocabulary

_PLACE_BITS = 32
_PLACE_MASK = np.int64(2**_PLACE_BITS - 1)


@dataclass(frozen=True)
class Postings:
    """Items by code, rows one after the other: `index[start[c] : start[c + 1]]` are the items of code c.

    Attributes:
        start: int64 [codes + 1].
        index: int32 [entries], item indices.
    """

    start: NDArray[np.int64]
    index: NDArray[np.int32]

    def of(self, code: int) -> NDArray[np.int32]:
        """The items of one code in order, a view; none for a code that is not there."""
        if not 0 <= code < len(self.start) - 1:
            return self.index[:0]
        return self.index[self.start[code] : self.start[code + 1]]


def postings(code: NDArray[np.int32], index: NDArray[np.int32], codes: int) -> Postings:
    """Group items by code; within a code they keep their order, and code 0, the unknown, has none.

    Args:
        code: int32 [m], the code of each entry.
        index: int32 [m], its item, the best first.
        codes: number of codes, the unknown included.
    """
    known = np.flatnonzero(code > 0)
    return _grouped([code[known]], [known], index, codes)


def postings_with_ancestors(leaf: NDArray[np.int32], index: NDArray[np.int32], categories: Vocabulary) -> Postings:
    """As `postings`, for categories: an item stands under its own category and under every one above it.

    Args:
        leaf: int32 [m], finest category of each entry.
        index: int32 [m], its item, the best first.
        categories: paths by code.
    """
    parent = parents(categories)
    place = np.arange(len(index))
    codes, places = [], []
    while len(leaf):
        known = leaf > 0
        leaf, place = leaf[known], place[known]
        codes.append(leaf)
        places.append(place)
        leaf = parent[leaf]
    return _grouped(codes, places, index, len(categories))


def parents(categories: Vocabulary) -> NDArray[np.int32]:
    """int32 [codes]: code of the path one level up, 0 at the top."""
    above = [path.rpartition(PATH_SEPARATOR)[0] for path in categories.names]
    return np.concatenate([np.zeros(1, dtype=np.int32), categories.codes(above)])


def _grouped(codes: list[NDArray[np.int32]], places: list[NDArray[np.int64]], index: NDArray[np.int32], count: int) -> Postings:
    if not codes:
        return Postings(np.zeros(count + 1, dtype=np.int64), index[:0])
    packed = np.concatenate([(code.astype(np.int64) << _PLACE_BITS) | place for code, place in zip(codes, places, strict=True)])
    packed.sort()
    start = np.searchsorted(packed, np.arange(count + 1, dtype=np.int64) << _PLACE_BITS)
    return Postings(start, index[packed & _PLACE_MASK])
