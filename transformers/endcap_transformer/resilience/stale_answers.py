"""The last complete list of each person and place, for when its features cannot be read."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import orjson
from numpy.typing import NDArray

from endcap.contracts.request import Instance
from endcap.core.settings import CacheSettings
from endcap_transformer.resilience.cached_lookup import TtlCache
from endcap_transformer.telemetry.metrics import CacheMetrics

ITEMS_KEPT = 100
"""Of longer lists the head is kept: with 20,000 entries each place costs 160 kB."""


@dataclass(frozen=True)
class StaleList:
    """A list as it was.

    Attributes:
        item_index: int32 [m], best first, of the bundle the key names.
        score: float32 [m].
    """

    item_index: NDArray[np.int32]
    score: NDArray[np.float32]


def stale_key(instance: Instance, bundle: str) -> bytes:
    """What a list is for, in 16 bytes: user or session, surface, items, filters, and the bundle that numbers the items.

    The number of items is left out: a longer list serves a shorter request, and what is missing is filled up. `exclude` is
    left out as well: whoever recalls a list checks every item's eligibility again.
    """
    parts = [
        bundle,
        instance.user_id,
        None if instance.user_id else instance.session_id,
        instance.surface,
        instance.item_ids,
        instance.filters.model_dump() if "filters" in instance.model_fields_set else None,
    ]
    return blake2b(orjson.dumps(parts), digest_size=16).digest()


class StaleAnswers:
    """Lists by `stale_key`, bounded in number, length and age.

    Args:
        settings: how many, and how old they may be.
        metrics: of this cache, `ServingMetrics.cache("stale_answers")`.
        clock: seconds that never go back.
    """

    def __init__(self, settings: CacheSettings, metrics: CacheMetrics, clock: Callable[[], float] = time.monotonic) -> None:
        self._lists: TtlCache[bytes, StaleList] = TtlCache(
            settings.stale_entries, settings.stale_seconds, clock, keep_s=settings.stale_seconds
        )
        self._metrics = metrics
        metrics.entries.set_function(lambda: len(self._lists))

    def remember(self, key: bytes, item_index: NDArray[np.int32], score: NDArray[np.float32]) -> None:
        """Keep a list that every stage took part in.

        Args:
            key: of its request.
            item_index: int32 [k], best first.
            score: float32 [k].
        """
        head = slice(ITEMS_KEPT)
        self._lists.put(key, StaleList(item_index[head].astype(np.int32), score[head].astype(np.float32)))  # copies: not a view of more

    def recall(self, key: bytes) -> StaleList | None:
        """The last complete list, if it is not too old; its items may have become unavailable since."""
        found = self._lists.get(key, None)
        if found is None:
            self._metrics.miss()
        else:
            self._metrics.stale()
        return found
