"""Where the item embeddings start: factors of who bought what, so that a few epochs are enough.

The factors are those of the normalised purchase matrix (PureSVD, Cremonesi et al., RecSys 2010; normalised as in EigenRec, Nikolakopoulos
et al., 2019), computed by a randomised decomposition (Halko et al., SIAM Review 2011).
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap_components.train_two_tower.content import ItemContent

OVERSAMPLING = 16
PRODUCTS = 5
"""Of the random projection with the matrix and its transpose."""
SHRINKAGE = 3.0
"""Items' worth of zeros added to each attribute's mean: a rare attribute says little."""


def co_purchase_factors(
    blocks: Callable[[], Iterable[sparse.csr_matrix]], item_count: int, dim: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Unit length factors of items: items bought by the same people point the same way.

    The purchases are read block by block, once for the items' counts and once for each product with the matrix, and none is kept.

    Args:
        blocks: starts a pass over float32 [users, item_count] matrices with a one where a user bought an item; a user is in one block.
        item_count: items.
        dim: length of the factors.
        rng: source of the random projection.

    Returns:
        float32 [item_count, dim]; zeros for items nobody bought, and in dimensions beyond the rank of the data.
    """
    buyers = np.zeros(item_count)
    for block in blocks():
        buyers += np.asarray(block.sum(axis=0)).ravel()
    by_item = sparse.diags(np.maximum(buyers, 1.0) ** -0.5)
    width = min(dim + OVERSAMPLING, item_count)
    basis = np.linalg.qr(rng.standard_normal((item_count, width)))[0]
    for _ in range(PRODUCTS):
        product = np.zeros_like(basis)
        for block in blocks():
            normalised = _by_user(block) @ by_item
            product += normalised.T @ (normalised @ basis)
        basis = np.linalg.qr(product)[0]
    inner = np.zeros((width, width))
    for block in blocks():
        projected = _by_user(block) @ (by_item @ basis)
        inner += projected.T @ projected
    squares, turn = np.linalg.eigh(inner)
    # A direction as weak as rounding is none: the data has no such rank.
    strength = np.sqrt(np.where(squares > squares[-1] * 1e-10, squares, 0.0))[::-1]
    factors = np.zeros((item_count, dim), dtype=np.float32)
    kept = min(dim, width)
    factors[:, :kept] = ((basis @ turn[:, ::-1]) * np.sqrt(strength))[:, :kept]
    factors[buyers == 0] = 0
    length = np.linalg.norm(factors, axis=1, keepdims=True)
    return np.asarray(np.divide(factors, length, out=np.zeros_like(factors), where=length > 1e-9))


def _by_user(block: sparse.csr_matrix) -> sparse.csr_matrix:
    return sparse.diags(np.maximum(np.asarray(block.sum(axis=1)).ravel(), 1.0) ** -0.5) @ block


def bought_block(user_row: NDArray[np.int64], item_place: NDArray[np.int32], users: int, item_count: int) -> sparse.csr_matrix:
    """Purchases as a block of `co_purchase_factors`: int64 [p] users and int32 [p] items, which may repeat; a pair counts once."""
    bought = sparse.csr_matrix((np.ones(len(user_row), dtype=np.float32), (user_row, item_place)), shape=(users, item_count))
    bought.data[:] = 1.0
    return bought


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
