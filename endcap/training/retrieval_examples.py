"""Examples of the two-tower: what a user had done by some moment, and what the user bought next."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class RetrievalExamples:
    """e examples with t targets in all; an example's targets stand together.

    Attributes:
        history: int32 [e, HISTORY_LENGTH], item indices, newest last, zeros in front.
        history_age_days: float32 [e, HISTORY_LENGTH].
        user_numeric: float32 [e, len(USER_NUMERIC)], raw.
        user_categories: int32 [e, len(USER_CATEGORICAL)].
        context: int32 [e, len(CONTEXT)], of the first purchase among the targets.
        snapshot: int32 [e], place of the example's moment in the manifest's snapshots.
        target_start: int64 [e + 1]; targets of example r are target_start[r] to target_start[r + 1].
        target_index: int32 [t], item indices, distinct within an example.
        target_is_new: bool [t], whether the user had never bought the item before the moment.
        bought_start, bought_end: int64 [e]; bought_index[bought_start[r] : bought_end[r]] is all that the user had bought by then.
        bought_index: int32, each user's distinct items in the order of their first purchase, user after user.
    """

    history: NDArray[np.int32]
    history_age_days: NDArray[np.float32]
    user_numeric: NDArray[np.float32]
    user_categories: NDArray[np.int32]
    context: NDArray[np.int32]
    snapshot: NDArray[np.int32]
    target_start: NDArray[np.int64]
    target_index: NDArray[np.int32]
    target_is_new: NDArray[np.bool_]
    bought_start: NDArray[np.int64]
    bought_end: NDArray[np.int64]
    bought_index: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.snapshot)

    def write(self, folder: Path) -> None:
        """One .npy file an array."""
        folder.mkdir(parents=True, exist_ok=True)
        for field in fields(self):
            np.save(folder / f"{field.name}.npy", getattr(self, field.name))

    @classmethod
    def read(cls, folder: Path) -> "RetrievalExamples":
        return cls(**{field.name: np.load(folder / f"{field.name}.npy") for field in fields(cls)})

    def targets_of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Targets of some examples: int32 place among `rows` (ascending) and int64 place in `target_index`."""
        return _spans(self.target_start[rows], self.target_start[rows + 1])

    def bought_by(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """What was bought before some examples: int32 place among `rows` (ascending) and int64 place in `bought_index`."""
        return _spans(self.bought_start[rows], self.bought_end[rows])


def _spans(start: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    count = end - start
    row = np.repeat(np.arange(len(start), dtype=np.int32), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return row, np.repeat(start, count) + within
