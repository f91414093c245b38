"""The last complete list of a person and surface: shown again when not even their features can be read."""

from collections.abc import Hashable

from endcap.contracts.answer import Recommendation
from endcap.contracts.request import Instance
from endcap.settings import CacheSettings
from transformers.metrics import ServingMetrics
from transformers.ttl_cache import TtlCache


class LastLists:
    """Bounded in number and age; belongs to one event loop.

    Args:
        settings: how many and how old.
        metrics: where uses are counted.
    """

    def __init__(self, settings: CacheSettings, metrics: ServingMetrics) -> None:
        self._kept: TtlCache[Hashable, tuple[Recommendation, ...]] = TtlCache(settings.stale_entries, settings.stale_seconds)
        self._metrics = metrics.cache("stale_answers")

    def remember(self, instance: Instance, listed: list[Recommendation]) -> None:
        """Keep a complete list."""
        if instance.user_id or instance.session_id:
            self._kept.put(_key(instance), tuple(listed))

    def recall(self, instance: Instance) -> tuple[Recommendation, ...]:
        """The last list of the same person and question; empty when there is none."""
        if not instance.user_id and not instance.session_id:
            return ()
        found = self._kept.get(_key(instance), ())
        (self._metrics.stale if found else self._metrics.miss)()
        return found


def _key(instance: Instance) -> Hashable:
    filters = instance.filters.model_dump_json() if instance.filters.model_fields_set else ""
    return instance.user_id or "", "" if instance.user_id else instance.session_id, instance.surface, tuple(instance.item_ids), filters
