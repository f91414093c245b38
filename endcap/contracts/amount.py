"""Amounts: prices, quantities and counts as far as they can be ones, so that no table or network that holds them as float32 overflows."""

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

AMOUNT_MAX = 1e12
"""More than anything costs in any currency; squared it is far below the largest float32."""


def require_amount(value: float | None) -> float | None:
    """The value, where it may be an amount.

    It stands beside the JSON Schema, whose released versions have no such bound.

    Raises:
        PydanticCustomError: it is more than `AMOUNT_MAX` either way.
    """
    if value is not None and abs(value) > AMOUNT_MAX:
        raise PydanticCustomError("amount", "must lie within {most} either way; send it in the unit of the currency", {"most": "1e12"})
    return value


Amount = Annotated[float | None, AfterValidator(require_amount)]
"""A number or nothing; what else holds for it stands in its field."""
