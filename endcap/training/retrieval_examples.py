"""Examples of the two-tower: what a user had done by a snapshot, and what the user bought next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from endcap.features.columns import CONTEXT, HISTORY_LENGTH, USER_CATEGORICAL, USER_NUMERIC

BOUGHT_MAX = 256
"""Items kept of what a user had bought before, those bought first the latest: an example has a bounded size."""

WIDTHS = {
    "history": HISTORY_LENGTH,
    "history_age_days": HISTORY_LENGTH,
    "user_numeric": len(USER_NUMERIC),
    "user_categories": len(USER_CATEGORICAL),
    "context": len(CONTEXT),
}


@dataclass(frozen=True)
class RetrievalExamples:
    """e examples of one snapshot.

    Attributes:
        history: int32 [e, HISTORY_LENGTH], item indices, newest last, zeros in front.
        history_age_days: float32 [e, HISTORY_LENGTH].
        user_numeric: float32 [e, len(USER_NUMERIC)], raw.
        user_categories: int32 [e, len(USER_CATEGORICAL)].
        context: int32 [e, len(CONTEXT)], of the first purchase among the targets.
        target_start: int64 [e + 1]; targets of example r are target_start[r] to target_start[r + 1].
        target_index: int32, item indices, distinct within an example.
        target_is_new: bool, whether the user had never bought the item before the snapshot.
        bought_start: int64 [e + 1], as `target_start`.
        bought_index: int32, distinct items bought before the snapshot, in the order of their first purchase, at most BOUGHT_MAX.
    """

    history: NDArray[np.int32]
    history_age_days: NDArray[np.float32]
    user_numeric: NDArray[np.float32]
    user_categories: NDArray[np.int32]
    context: NDArray[np.int32]
    target_start: NDArray[np.int64]
    target_index: NDArray[np.int32]
    target_is_new: NDArray[np.bool_]
    bought_start: NDArray[np.int64]
    bought_index: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.history)

    def take(self, rows: NDArray[np.int64]) -> "RetrievalExamples":
        """The examples at some places, in the order asked for."""
        target_start, target = _spans(self.target_start, rows)
        bought_start, bought = _spans(self.bought_start, rows)
        return RetrievalExamples(
            **{name: getattr(self, name)[rows] for name in WIDTHS},
            target_start=target_start,
            target_index=self.target_index[target],
            target_is_new=self.target_is_new[target],
            bought_start=bought_start,
            bought_index=self.bought_index[bought],
        )

    @classmethod
    def concatenated(cls, parts: Sequence["RetrievalExamples"]) -> "RetrievalExamples":
        """The examples of several parts, one after the other; at least one part."""
        plain = (*WIDTHS, "target_index", "target_is_new", "bought_index")
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in plain},
            target_start=_starts([np.diff(part.target_start) for part in parts]),
            bought_start=_starts([np.diff(part.bought_start) for part in parts]),
        )

    @classmethod
    def blank(cls) -> "RetrievalExamples":
        """One example of nobody, without targets: what a worker computes while others still have batches."""
        nothing = np.zeros(2, dtype=np.int64)
        return cls(
            **{name: np.zeros((1, width), dtype=_dtype(name)) for name, width in WIDTHS.items()},
            target_start=nothing,
            target_index=np.zeros(0, dtype=np.int32),
            target_is_new=np.zeros(0, dtype=np.bool_),
            bought_start=nothing,
            bought_index=np.zeros(0, dtype=np.int32),
        )

    @property
    def target_row(self) -> NDArray[np.int32]:
        """int32, the example of each target, ascending."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.target_start))

    @property
    def bought_row(self) -> NDArray[np.int32]:
        """int32, the example of each item of `bought_index`, ascending."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.bought_start))

    def table(self) -> pa.Table:
        """An Arrow table with one row an example and the columns of EXAMPLE_SCHEMA."""
        columns = {name: pa.FixedSizeListArray.from_arrays(getattr(self, name).ravel(), width) for name, width in WIDTHS.items()}
        columns["target"] = _lists(self.target_start, self.target_index)
        columns["is_new"] = _lists(self.target_start, self.target_is_new)
        columns["bought"] = _lists(self.bought_start, self.bought_index)
        return pa.Table.from_pydict(columns, schema=EXAMPLE_SCHEMA)

    @classmethod
    def of_table(cls, table: pa.Table) -> "RetrievalExamples":
        """The examples of such a table; one without the column `bought` has examples that name nothing bought before."""
        wide = {name: _values(table, name).reshape(-1, width) for name, width in WIDTHS.items()}
        target_start, target_index = _ragged(table, "target")
        bought_start, bought_index = np.zeros(len(table) + 1, dtype=np.int64), np.zeros(0, dtype=np.int32)
        if "bought" in table.column_names:
            bought_start, bought_index = _ragged(table, "bought")
        return cls(
            **wide,
            target_start=target_start,
            target_index=target_index,
            target_is_new=_values(table, "is_new"),
            bought_start=bought_start,
            bought_index=bought_index,
        )


def _dtype(name: str) -> type[np.generic]:
    return np.float32 if name in {"history_age_days", "user_numeric"} else np.int32


EXAMPLE_SCHEMA = pa.schema(
    [
        *(pa.field(name, pa.list_(pa.from_numpy_dtype(_dtype(name)), width)) for name, width in WIDTHS.items()),
        pa.field("target", pa.list_(pa.int32())),
        pa.field("is_new", pa.list_(pa.bool_())),
        pa.field("bought", pa.list_(pa.int32())),
    ]
)
"""Columns of a shard of examples, one row an example."""


def _spans(start: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts of some rows' lists when they stand one after the other, and the place of each of their values."""
    count = start[rows + 1] - start[rows]
    new_start = _starts([count])
    return new_start, np.repeat(start[rows] - new_start[:-1], count) + np.arange(new_start[-1])


def _starts(counts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(counts), dtype=np.int64)])


def _lists(start: NDArray[np.int64], values: NDArray[Any]) -> pa.Array:
    return pa.ListArray.from_arrays(start.astype(np.int32), pa.array(values))


def _ragged(table: pa.Table, name: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    counts = pc.list_value_length(table[name]).to_numpy().astype(np.int64)
    return _starts([counts]), _values(table, name)


def _values(table: pa.Table, name: str) -> NDArray[Any]:
    """The values of a column of lists, row after row."""
    values = pc.list_flatten(table[name])
    return np.asarray(values.to_numpy())
