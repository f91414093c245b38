"""Rows of the online store in Python's own types, to be compared."""

from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """The same with lists in the place of arrays."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def typed(value: Any) -> Any:
    """The same with each array's type beside its entries."""
    if isinstance(value, dict):
        return {name: typed(part) for name, part in value.items()}
    return (value.dtype, value.tolist()) if isinstance(value, np.ndarray) else (type(value), value)
