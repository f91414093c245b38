"""A surface's diversity for the candidates of one list, as far as the catalogue can tell items apart."""

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.category_levels import CategoryLevels
from endcap.catalogue.item_table import ItemTable
from endcap.engine.slate.diversity import Diversity
from endcap.engine.surfaces.surface import SurfaceDiversity


def list_diversity(
    wanted: SurfaceDiversity,
    index: NDArray[np.int32],
    items: ItemTable,
    levels: CategoryLevels,
    item_embeddings: NDArray[np.float32],
    *,
    is_capped: bool = True,
) -> Diversity | None:
    """What `endcap.engine.slate.assembly.assemble` takes; None where the order of the scores is to stay.

    Args:
        wanted: of the surface.
        index: int32 [m], item indices of the candidates.
        items: the catalogue.
        levels: of the catalogue.
        item_embeddings: float32 [n + 1, dim]. The last dimension evens out the lengths, which say how well items sell; likeness is in the
            others, and without any there is none.
        is_capped: False for lists of given items and within a category.
    """
    group = None
    if is_capped and wanted.category_most is not None and levels.tells_apart(wanted.category_level):
        group = levels.groups(items.category_codes[index], wanted.category_level)
    strength = wanted.mmr if item_embeddings.shape[1] > 1 else 0.0
    if not strength and group is None:
        return None
    return Diversity(
        strength=strength,
        embeddings=lambda rows: item_embeddings[index[rows], :-1],
        group=group,
        most=None if group is None else wanted.category_most,
    )
