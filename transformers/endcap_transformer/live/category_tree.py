"""Categories by any of their names: what a request's category filter looks items up with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import PATH_SEPARATOR
from endcap.catalogue.vocabulary import Vocabulary


@dataclass(frozen=True)
class CategoryTree:
    """c category paths by code.

    Attributes:
        parent: int32 [c], code of the path one level up, 0 at the top.
        codes_by_name: codes of the paths that end in a name, and of each whole path.
        depth: levels of the deepest path.
    """

    parent: NDArray[np.int32]
    codes_by_name: Mapping[str, list[int]]
    depth: int

    @classmethod
    def of(cls, categories: Vocabulary) -> "CategoryTree":
        codes_by_name: dict[str, list[int]] = {}
        parent = np.zeros(len(categories), dtype=np.int32)
        depth = 0
        for code, path in enumerate(categories.names, start=1):
            above, _, name = path.rpartition(PATH_SEPARATOR)
            parent[code] = categories.code(above)
            codes_by_name.setdefault(name, []).append(code)
            if above:
                codes_by_name.setdefault(path, []).append(code)
            depth = max(depth, path.count(PATH_SEPARATOR) + 1)
        return cls(parent, codes_by_name, depth)

    def within(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """bool [c]: categories that are one of `names`, or lie below one; a name may be a single level or a whole path."""
        inside = np.zeros(len(self.parent), dtype=bool)
        for name in names:
            inside[self.codes_by_name.get(name, [])] = True
        for _ in range(self.depth):
            inside |= inside[self.parent]
        inside[0] = False
        return inside
