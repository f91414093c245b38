"""Items that a rule gives places to, so that they are candidates at all."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from endcap.engine.rules.conditions.item_bits import ItemBits

ITEMS_A_RULE = 50
_BLOCK = 65_536


def required_items(
    bits: ItemBits, wanted: Collection[int], order: NDArray[np.int32], available: NDArray[np.bool_]
) -> Mapping[int, NDArray[np.int32]]:
    """For each condition its items in stock that are bought most.

    Args:
        bits: the conditions' answers.
        wanted: conditions by bit.
        order: int32 [n], items in the order in which they are taken.
        available: bool [n + 1].

    Returns:
        By bit, int32 [at most ITEMS_A_RULE].
    """
    found: dict[int, list[NDArray[np.int32]]] = {bit: [] for bit in wanted}
    missing = dict.fromkeys(wanted, ITEMS_A_RULE)
    for start in range(0, len(order), _BLOCK):
        open_bits = [bit for bit, count in missing.items() if count]
        if not open_bits:
            break
        block = order[start : start + _BLOCK]
        block = block[available[block]]
        for bit in open_bits:
            taken = block[np.flatnonzero(bits.of(bit, block))[: missing[bit]]]
            found[bit].append(taken)
            missing[bit] -= len(taken)
    return {bit: np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32) for bit, parts in found.items()}
