"""Where the item embeddings start: factors of who bought what, so that a few epochs are enough.

The factors are those of the normalised purchase matrix (PureSVD, Cremonesi et al., RecSys 2010; normalised as in EigenRec, Nikolakopoulos
et al., 2019), computed by a randomised decomposition (Halko et al., SIAM Review 2011).
"""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from components.train_two_tower.content import ItemContent

OVERSAMPLING = 16
POWER_ITERATIONS = 4
SHRINKAGE = 3.0
"""Items' worth of zeros added to each attribute's mean: a rare attribute says little."""


def co_purchase_factors(
    user_row: NDArray[np.int64], item_place: NDArray[np.int32], item_count: int, dim: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Unit length factors of items: items bought by the same people point the same way.

    Args:
        user_row: int64 [p], a user's number for each purchase.
        item_place: int32 [p], the item; both may repeat, a pair counts once.
        item_count: items.
        dim: length of the factors.
        rng: source of the random projection.

    Returns:
        float32 [item_count, dim]; zeros for items nobody bought, and in dimensions beyond the rank of the data.
    """
    users = int(user_row.max()) + 1 if len(user_row) else 1
    bought = sparse.csr_matrix((np.ones(len(user_row), dtype=np.float32), (user_row, item_place)), shape=(users, item_count))
    bought.data[:] = 1.0
    by_user, by_item = (np.maximum(np.asarray(bought.sum(axis=axis)).ravel(), 1.0) ** -0.5 for axis in (1, 0))
    normalised = sparse.diags(by_user).dot(bought).dot(sparse.diags(by_item)).tocsr()
    width = min(dim + OVERSAMPLING, users, item_count)
    basis = np.linalg.qr(normalised @ rng.standard_normal((item_count, width)))[0]
    for _ in range(POWER_ITERATIONS):
        basis = np.linalg.qr(normalised @ np.linalg.qr(normalised.T @ basis)[0])[0]
    _, strength, directions = np.linalg.svd((normalised.T @ basis).T, full_matrices=False)
    factors = np.zeros((item_count, dim), dtype=np.float32)
    kept = min(dim, width)
    factors[:, :kept] = directions[:kept].T * np.sqrt(strength[:kept])
    length = np.linalg.norm(factors, axis=1, keepdims=True)
    return np.divide(factors, length, out=np.zeros_like(factors), where=length > 1e-9)


def split_by_content(
    factors: NDArray[np.float32], trained: NDArray[np.int32], content: ItemContent
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Explain factors by content as far as means go; the rest is the items' own.

    Args:
        factors: float32 [p, dim], of the trained items.
        trained: int32 [p], their indices.
        content: attributes of all items.

    Returns:
        float32 [content.size, dim] embeddings of the attributes, and float32 [p, dim] of the items: for each trained item, its own and
        those of its attributes (as the item tower sums them) make its factor.
    """
    attributes = np.zeros((content.size, factors.shape[1]), dtype=np.float32)
    rest = factors.copy()
    for block in content.blocks:
        codes = block.codes[block.row[trained]]
        present = codes > 0
        scale = np.sqrt(np.maximum(present.sum(axis=1), 1)).astype(np.float32)
        item, column = np.nonzero(present)
        of_code = codes[item, column]
        members = sparse.csr_matrix((np.ones(len(item), np.float32), (of_code, item)), shape=(content.size, len(trained)))
        count = np.asarray(members.sum(axis=1)).ravel()
        mean = (members @ rest) / (count + SHRINKAGE)[:, None]
        # Attributes of one block share the item: each explains its part of the scaled sum.
        attributes += mean
        share = sparse.csr_matrix((1.0 / scale[item], (item, of_code)), shape=(len(trained), content.size))
        rest -= share @ mean
    return attributes.astype(np.float32), rest.astype(np.float32)
