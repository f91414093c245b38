"""The context columns of a request or an example: when, where and on what it happens."""

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from endcap.features.columns import DEVICES, SURFACES


def context_codes(moment: datetime, surface: str | None = None, device: str | None = None) -> NDArray[np.int32]:
    """int32 [len(CONTEXT)] in the order of CONTEXT; a surface or device that is not listed counts as unknown.

    Args:
        moment: the instant to answer for, in UTC.
        surface: one of SURFACES.
        device: one of DEVICES.
    """
    place = SURFACES.index(surface) if surface in SURFACES else 0
    kind = DEVICES.index(device) if device in DEVICES else 0
    return np.array([moment.hour, moment.weekday(), moment.month, place, kind], dtype=np.int32)
