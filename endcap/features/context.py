"""The context of a request or a past purchase: when, where on the site and on what device. One function serves training and requests."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from endcap.contracts.moment import DAY_S
from endcap.features.columns import CONTEXT, DEVICES, SURFACES

Names = str | None | Sequence[str | None]


def context_rows(epoch_seconds: npt.ArrayLike, surface: Names, device: Names) -> npt.NDArray[np.int32]:
    """Context columns of many moments.

    Args:
        epoch_seconds: UTC epoch seconds, [n].
        surface: a name of SURFACES for all rows, or one a row; anything else is unknown.
        device: a name of DEVICES for all rows, or one a row; anything else is unknown.

    Returns:
        int32 [n, 5] in the order of CONTEXT.
    """
    seconds = np.asarray(epoch_seconds, dtype=np.int64).reshape(-1)
    rows = np.empty((seconds.shape[0], len(CONTEXT)), dtype=np.int32)
    rows[:, 0] = seconds % DAY_S // 3600
    rows[:, 1] = (seconds // DAY_S + 3) % 7
    rows[:, 2] = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    rows[:, 3] = _places(surface, SURFACES)
    rows[:, 4] = _places(device, DEVICES)
    return rows


def _places(names: Names, known: tuple[str, ...]) -> npt.NDArray[np.int32] | int:
    if names is None or isinstance(names, str):
        return known.index(names) if names in known else 0
    places = {name: place for place, name in enumerate(known)}
    return np.fromiter((places.get(name or "", 0) for name in names), dtype=np.int32, count=len(names))
