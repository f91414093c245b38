"""Workers that train one model together, each on its own shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Shard = TypeVar("Shard")


@dataclass(frozen=True)
class Worker:
    """One process among those that train a model.

    Attributes:
        index: 0 to count - 1.
        count: workers.
        replicas: copies of the model that each worker computes, one a device.
    """

    index: int = 0
    count: int = 1
    replicas: int = 1


def shares(shards: Sequence[Shard], sizes: Sequence[int], count: int) -> list[list[Shard]]:
    """Divide shards among workers: the largest first, each to whoever has the least.

    Args:
        shards: what to divide.
        sizes: of each shard.
        count: workers.

    Returns:
        The shards of each worker, in the order given. Every worker finds the same division for itself.
    """
    held = [0] * count
    owner = [0] * len(shards)
    for place in sorted(range(len(shards)), key=lambda place: (-sizes[place], place)):
        owner[place] = held.index(min(held))
        held[owner[place]] += sizes[place]
    return [[shard for shard, of in zip(shards, owner, strict=True) if of == worker] for worker in range(count)]
