"""Which levels of a catalogue's category tree tell its items apart: a tree may be flat, or have one root over everything."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import CATEGORY_LEVELS, ItemTable

_CODE_BITS = 32


@dataclass(frozen=True)
class CategoryLevels:
    """What the tree of one catalogue looks like; made once a bundle.

    Attributes:
        broadest: the first level, from 1, that has more than one category; 0 where none has.
        divides: bool [CATEGORY_LEVELS, categories], by level and code: whether the category above it, at the broadest level, is divided
            into several of that level. Nowhere true in a flat tree.
    """

    broadest: int
    divides: NDArray[np.bool_]

    @classmethod
    def of(cls, items: ItemTable) -> "CategoryLevels":
        """Look at every category that an item has."""
        finest = items.category_codes[:, -1]
        # Items of one finest category have the whole path in common, so one of each is looked at; codes of no item find the padding.
        item = np.zeros(len(items.categories), dtype=np.int64)
        item[finest] = np.arange(len(finest))
        paths = items.category_codes[item]
        paths = paths[paths[:, 0] > 0].astype(np.int64)
        divides = np.zeros((CATEGORY_LEVELS, len(items.categories)), dtype=np.bool_)
        broadest = next((level for level in range(CATEGORY_LEVELS) if len(np.unique(paths[:, level])) > 1), None)
        if broadest is None:
            return cls(0, divides)
        for level in range(broadest + 1, CATEGORY_LEVELS):
            pairs = np.unique((paths[:, broadest] << _CODE_BITS) | paths[:, level])
            above, own = pairs >> _CODE_BITS, pairs & (2**_CODE_BITS - 1)
            parts = np.bincount(above, minlength=len(items.categories))
            divides[level, own[parts[above] > 1]] = True
        return cls(broadest + 1, divides)

    @cached_property
    def is_flat(self) -> bool:
        """Whether no level divides the broadest one."""
        return not bool(self.divides.any())

    def tells_apart(self, level: int | None) -> bool:
        """Whether any category of a level, by `groups`, tells items apart."""
        return not self.is_flat if level is None or level > self.broadest else True

    def groups(self, codes: NDArray[np.int32], level: int | None) -> NDArray[np.int32]:
        """int32 [m]: the category by which a list is to be mixed, -1 for items that none is known of or that it does not tell apart.

        Args:
            codes: int32 [m, CATEGORY_LEVELS], of `ItemTable.category_codes`.
            level: from 1; None for the finest. A level that is finer than the tree tells nothing apart; one that is named and no finer than
                the broadest counts as it is.
        """
        place = (level or CATEGORY_LEVELS) - 1
        own = codes[:, place].copy()
        counts = own > 0 if level is not None and level <= self.broadest else self.divides[place, own]
        own[~counts] = -1
        return own
