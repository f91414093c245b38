"""What changes while a bundle is served: rules, item table, trends and click evidence, each taken up without a pause."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from endcap.catalogue.changes.trend_file import TRENDS_FILE
from endcap.catalogue.item_table import ItemTable
from endcap.contracts.bundle import BundleManifest
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.engine.exploration.evidence import EVIDENCE_FILE, Evidence
from endcap.engine.retrieval.shop_trends import ShopTrends
from endcap.engine.rules.rule_book import RuleBook
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.tables import BundleTables, read_tables
from endcap_transformer.live.bundle_watch import BundleHolder
from endcap_transformer.live.file_watch import UNUSABLE, Identity, identity, watch_file, yield_to_requests
from endcap_transformer.live.item_refresh import ItemRefresh, ServedItems, watch_item_updates
from endcap_transformer.live.rule_watch import RuleFileWatch, RulesInForce, watch_rules
from endcap_transformer.live.served_bundle import ServedBundle, served_from
from endcap_transformer.live.trend_watch import TrendBase, TrendWatch, watch_trends
from endcap_transformer.telemetry.metrics import ServingMetrics

ITEM_UPDATES_NAME = "item_updates.parquet"
EVIDENCE_LOOK_SECONDS = 5.0


class LiveChanges:
    """Puts changes into the bundle that answers; every request takes one bundle and keeps it.

    Args:
        settings: where the files are.
        holder: knows the bundle that answers.
        metrics: where changes are counted.
    """

    def __init__(self, settings: Settings, holder: BundleHolder, metrics: ServingMetrics) -> None:
        self._settings = settings
        self._holder = holder
        self._metrics = metrics
        self._log = get_logger("transformer")
        self._rules = RuleFileWatch(settings.rules_file, self._ruled, self._take_rules, metrics)
        self._items = ItemRefresh(settings.live_dir / ITEM_UPDATES_NAME, self._catalogue, self._take_items, on_done=self._count_refresh)
        purchases_min = settings.counters.region_purchases_min
        self._trends = TrendWatch(settings.live_dir / TRENDS_FILE, purchases_min, self._trend_base, self._take_trends, self._count_trends)
        self._evidence_file = settings.live_dir / EVIDENCE_FILE
        self._evidence_seen: Identity | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def watchers(self) -> Sequence[Coroutine[Any, Any, None]]:
        """To be run for as long as the process serves."""
        return (
            watch_rules(self._rules),
            watch_item_updates(self._items),
            watch_trends(self._trends),
            watch_file(self._evidence_file, self.look_for_evidence, EVIDENCE_LOOK_SECONDS),
        )

    def bundle_changed(self) -> None:
        """Take up a bundle that has begun to answer."""
        served = self._holder.current
        if served is not None:
            self._take_rules(served.rules)

    def load(self, bundle: Bundle) -> ServedBundle:
        """A bundle whose files were checked, with the item updates and the rules of today; blocks.

        Raises:
            InvalidInput: a rule cannot be used with its catalogue.
        """
        tables = read_tables(bundle.path, memory_map=True)
        items = self._items.applied_to(ServedItems(tables.items, bundle.manifest.data_end))
        trends = self._trends.applied_to(_trend_base(tables, bundle.manifest))
        return served_from(bundle.manifest, tables, self._settings, self._rules.rules(), items, trends=trends)

    async def look_for_evidence(self) -> None:
        """Take up the click evidence if its file is new since the last look; one that cannot be used is logged once."""
        found = await asyncio.to_thread(identity, self._evidence_file)
        served = self._holder.current
        if found is None or found == self._evidence_seen or served is None:
            return
        try:
            evidence = await asyncio.to_thread(Evidence.read, self._evidence_file, served.tables.items)
        except UNUSABLE as error:
            self._evidence_seen = found
            self._log.error("click evidence refused; the earlier one stays", cause=str(error))
            return
        latest = self._holder.current
        if latest is None or latest.manifest.version != served.manifest.version:
            return  # another bundle answers by now; the next look reads for its catalogue
        self._evidence_seen = found
        self._holder.change(evidence=evidence)

    def _take_rules(self, book: RuleBook) -> None:
        self._holder.change(rules=book, rule_counts=self._metrics.rules_in_force(book.version, book.rules))

    def _ruled(self) -> RulesInForce | None:
        served = self._holder.current
        return RulesInForce(served.rules, served.tables.items, served.clock) if served else None

    def _catalogue(self) -> ServedItems | None:
        served = self._holder.current
        return ServedItems(served.tables.items, served.manifest.data_end) if served else None

    def _take_items(self, items: ItemTable) -> None:
        served = self._holder.current
        if served is None:
            return
        self._holder.current = served.with_items(items)
        self._metrics.item_table_revision.set(items.revision)
        task = asyncio.create_task(self._recompile(items))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _trend_base(self) -> TrendBase | None:
        served = self._holder.current
        return _trend_base(served.tables, served.manifest) if served else None

    def _take_trends(self, trends: ShopTrends) -> None:
        self._holder.change(trends=trends)
        self._metrics.live_segments.set(len(trends.live_segments))

    def _count_trends(self, outcome: str) -> None:
        self._metrics.trend_refreshes.labels(outcome).inc()
        if outcome == "applied":
            self._metrics.trends_updated.set_to_current_time()

    def _count_refresh(self, outcome: str, seconds: float) -> None:
        self._metrics.item_refreshes.labels(outcome).inc()
        self._metrics.item_refresh_seconds.observe(seconds)
        if outcome == "applied":
            self._metrics.item_table_updated.set_to_current_time()

    async def _recompile(self, items: ItemTable) -> None:
        """Rules about prices and stock hold for a new item table a moment after it."""
        served = self._holder.current
        if served is None:
            return
        book = await asyncio.to_thread(served.rules.recompiled, items, yield_to_requests)
        latest = self._holder.current
        if latest is not None and latest.rules is served.rules and latest.tables.items is items:
            self._take_rules(book)


def _trend_base(tables: BundleTables, manifest: BundleManifest) -> TrendBase:
    return TrendBase(ShopTrends(tables.popularity, tables.trending), tables.items.ids, manifest.data_end, manifest.version)
