"""Content of items as sparse attributes: categories, brand, price bucket and title words, one embedding row each."""

import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.text_column import TextColumn

TITLE_WORDS_MAX = 8
_WORD = re.compile(r"[0-9a-z]+")


@dataclass(frozen=True)
class ContentBlock:
    """One kind of attribute. Many items share the same values, so they are kept and embedded once.

    Attributes:
        row: int32 [n + 1], each item's row of `codes`.
        codes: int32 [distinct, attributes], rows of one embedding table over all blocks; 0 where there is no attribute.
    """

    row: NDArray[np.int32]
    codes: NDArray[np.int32]


@dataclass(frozen=True)
class ItemContent:
    """Attributes of every item, by block.

    Attributes:
        blocks: categories, brand, price, title.
        size: rows of the embedding table that the codes point into.
    """

    blocks: tuple[ContentBlock, ...]
    size: int


def item_content(items: ItemTable, title_buckets: int, price_buckets: int) -> ItemContent:
    """Attribute codes of a catalogue; the same item gets the same codes as long as the vocabularies and prices stay."""
    codes = [
        _distinct_levels(items.category_codes),
        items.brand_code[:, None],
        _price_codes(items.price, price_buckets)[:, None],
        _title_codes(items.title, title_buckets),
    ]
    sizes = [len(items.categories), len(items.brands), price_buckets + 1, title_buckets + 1]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return ItemContent(tuple(_block(block, offset) for block, offset in zip(codes, offsets, strict=True)), int(sum(sizes)))


def _block(codes: NDArray[np.int32], offset: int) -> ContentBlock:
    codes = np.where(codes > 0, codes + offset, 0).astype(np.int32)
    codes[0] = 0
    distinct, row = np.unique(codes, axis=0, return_inverse=True)
    return ContentBlock(row.ravel().astype(np.int32), distinct)


def _distinct_levels(levels: NDArray[np.int32]) -> NDArray[np.int32]:
    """A short path repeats its last level; once is enough."""
    distinct = levels.copy()
    distinct[:, 1:][levels[:, 1:] == levels[:, :-1]] = 0
    return distinct


def _price_codes(price: NDArray[np.float32], buckets: int) -> NDArray[np.int32]:
    """int32 [n + 1]; quantiles of the known prices, 0 for unknown."""
    known = np.isfinite(price)
    if not known.any():
        return np.zeros(len(price), dtype=np.int32)
    edges = np.quantile(price[known], np.linspace(0, 1, buckets + 1)[1:-1])
    return np.where(known, np.searchsorted(edges, price, side="right") + 1, 0).astype(np.int32)


def _title_codes(titles: TextColumn, buckets: int) -> NDArray[np.int32]:
    """int32 [n + 1, TITLE_WORDS_MAX]; words hashed by CRC-32, which is the same on every machine."""
    codes = np.zeros((len(titles), TITLE_WORDS_MAX), dtype=np.int32)
    for row, title in enumerate(titles):
        words = dict.fromkeys(_WORD.findall(title.lower()))
        for column, word in enumerate(list(words)[:TITLE_WORDS_MAX]):
            codes[row, column] = zlib.crc32(word.encode()) % buckets + 1
    return codes
