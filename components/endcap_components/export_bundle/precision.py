"""Number formats that the exported weights may be stored in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import InvalidInput

INT8_MAX = 127


class Precision(StrEnum):
    """The stored type of a bundle's weights; inputs, outputs and sums stay float32."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    BFLOAT16 = "bfloat16"
    INT8 = "int8"

    @classmethod
    def of(cls, given: str) -> Self:
        """The precision of this name.

        Raises:
            InvalidInput: there is none.
        """
        try:
            return cls(given)
        except ValueError:
            raise InvalidInput("unknown", field="precision", value=given, fix=f"use one of {', '.join(cls)}") from None

    def store(self, weights: NDArray[np.float32], scale_axis: int) -> "StoredWeights":
        """Weights in this type.

        Args:
            weights: float32, two dimensions or more.
            scale_axis: the axis that shares a scale in int8: the last one of a table whose rows are looked up, the first one (the inputs)
                of a kernel that is multiplied with.

        Raises:
            InvalidInput: a weight is too large for the type.
        """
        if self is Precision.INT8:
            largest = np.abs(weights).max(axis=scale_axis, keepdims=True)
            scale = np.maximum(largest / INT8_MAX, np.finfo(np.float32).tiny).astype(np.float32)
            return StoredWeights(np.rint(weights / scale).astype(np.int8), scale)
        with np.errstate(over="ignore"):
            values = weights.astype(self._dtype())
        if not np.isfinite(values.astype(np.float32)).all():
            largest_weight = float(np.abs(weights).max())
            raise InvalidInput("a weight does not fit", field="precision", value=self.value, fix=f"the largest is {largest_weight:g}")
        return StoredWeights(values, None)

    def _dtype(self) -> Any:
        if self is Precision.BFLOAT16:
            import ml_dtypes

            return ml_dtypes.bfloat16
        return np.dtype(self.value)


@dataclass(frozen=True)
class StoredWeights:
    """Weights as they are stored.

    Attributes:
        values: of the stored type, the weights' shape.
        scale: float32, what int8 values are multiplied with, 1 along the axis that shares it; None for the floating types.
    """

    values: NDArray[Any]
    scale: NDArray[np.float32] | None

    def restored(self) -> NDArray[np.float32]:
        """What the graph computes with, float32."""
        wide = self.values.astype(np.float32)
        return wide if self.scale is None else wide * self.scale
