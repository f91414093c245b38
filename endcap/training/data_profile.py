"""The shape of a data set, from which defaults follow: no data set has constants of its own.

| what | rule | why |
| --- | --- | --- |
| objective | `window` from `REPEAT_SHARE_MIN` of repeats, else `next_item` | where buying again dominates, order says little |
| history encoder | `mean` under `STEPS_MIN` steps a user, else `decayed_attention` | attention learns from pairs of steps |
| width | 64, from `WIDE_FROM` interactions 128 | more weights than interactions only learn by heart |
| dropout | 0.5 where an item has few interactions, down to 0.2 | what is seen a thousand times needs little protection |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from endcap.algorithms.interactions import Interactions

Objective = Literal["window", "next_item"]
HistoryEncoderName = Literal["mean", "gru", "self_attention", "decayed_attention"]

REPEAT_SHARE_MIN = 0.1
STEPS_MIN = 2.5
WIDE_FROM = 30_000
DROPOUT_BY_INTERACTIONS_AN_ITEM = ((50.0, 0.5), (200.0, 0.3))
DROPOUT_OF_DENSE = 0.2


@dataclass(frozen=True)
class DataProfile:
    """Size, sparsity and repeat rate.

    Attributes:
        users: users with at least one interaction.
        items: distinct items that were interacted with.
        interactions: all of them, repeats included.
        repeat_share: share of interactions with an item that the user had before, in [0, 1].
        mean_length: interactions a user.
        density: share of user x item pairs that occur, in [0, 1].
    """

    users: int
    items: int
    interactions: int
    repeat_share: float
    mean_length: float
    density: float

    @classmethod
    def of(cls, interactions: Interactions) -> "DataProfile":
        """Measure a data set; shares of an empty one are 0."""
        return cls.of_parts([interactions])

    @classmethod
    def of_parts(cls, parts: Iterable[Interactions]) -> "DataProfile":
        """The same of a data set that comes in parts, each with all interactions of its users; one part lies in memory at a time."""
        total = users = pairs = 0
        seen = np.zeros(0, dtype=np.int32)
        for part in parts:
            total += len(part)
            users += int(np.count_nonzero(np.diff(part.start)))
            pairs += int(part.bought.nnz)
            seen = np.union1d(seen, part.item_index)
        return cls(
            users=users,
            items=len(seen),
            interactions=total,
            repeat_share=1 - pairs / total if total else 0.0,
            mean_length=total / users if users else 0.0,
            density=pairs / (users * len(seen)) if total else 0.0,
        )

    @property
    def objective(self) -> Objective:
        """What a two-tower learns to predict."""
        return "window" if self.repeat_share >= REPEAT_SHARE_MIN else "next_item"

    @property
    def history_encoder(self) -> HistoryEncoderName:
        """How a two-tower reads a history."""
        return "mean" if self.mean_length < STEPS_MIN else "decayed_attention"

    @property
    def width(self) -> int:
        """Length of embeddings."""
        return 128 if self.interactions >= WIDE_FROM else 64

    @property
    def dropout(self) -> float:
        """Share of values left out of a step, in [0, 1)."""
        seen = self.interactions / max(self.items, 1)
        return next((rate for limit, rate in DROPOUT_BY_INTERACTIONS_AN_ITEM if seen < limit), DROPOUT_OF_DENSE)
