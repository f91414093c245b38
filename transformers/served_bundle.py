"""The bundle that answers, in memory; a request holds one of these from its first stage to its last."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from endcap.bundle.manifest import Bundle
from endcap.bundle.tables import BundleTables, read_tables
from endcap.clock import Clock, replay_clock, system_clock
from endcap.contracts.bundle import BundleManifest
from endcap.features.columns import ITEM_NUMERIC
from endcap.settings import RetrievalSettings, Settings, resolve_replay
from transformers.category_tree import CategoryTree


@dataclass(frozen=True)
class ServedBundle:
    """Everything of a bundle that requests read.

    Attributes:
        quotas: candidates a source and in all, as the ranker was trained with.
        categories: finds the items of a category by name.
        by_purchases: int32 [items], every item index, most purchases of the last 90 days first: the last resort's order.
        clock: the present, or the end of the data when it is recorded history.
        replay_at: where the clock stands, None when it runs.
    """

    manifest: BundleManifest
    tables: BundleTables
    quotas: RetrievalSettings
    categories: CategoryTree
    by_purchases: NDArray[np.int32]
    clock: Clock
    replay_at: datetime | None

    @property
    def name(self) -> str:
        return self.manifest.name


def load_served_bundle(bundle: Bundle, settings: Settings) -> ServedBundle:
    """Read the tables of a bundle whose files were checked."""
    tables = read_tables(bundle.path)
    replay_at = resolve_replay(settings.replay_at, bundle.manifest.data_end, system_clock())
    purchases = tables.items.numeric[1:, ITEM_NUMERIC.index("purchases_90d")]
    return ServedBundle(
        manifest=bundle.manifest,
        tables=tables,
        quotas=settings.retrieval.model_copy(update=bundle.manifest.quotas),
        categories=CategoryTree.of(tables.items.categories),
        by_purchases=(np.argsort(-purchases, kind="stable") + 1).astype(np.int32),
        clock=replay_clock(replay_at) if replay_at else system_clock,
        replay_at=replay_at,
    )
