"""What sells reaches the bundle that answers, and nothing that is wrong with a file does."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from endcap.catalogue.changes.trend_file import TRENDS_FILE, write_trends
from endcap.core.settings import CounterSettings, Settings
from endcap.engine.retrieval.popular import OVERALL
from endcap.release.bundle.manifest import Bundle
from endcap_benchmarks.synthetic.bundle import DATA_END
from endcap_transformer.live.bundle_watch import BundleHolder
from endcap_transformer.live.live_changes import LiveChanges
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.telemetry.metrics import ServingMetrics

LATER = DATA_END + timedelta(days=1)


class Transformer:
    """What of a transformer has to do with trends."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, counters=CounterSettings(region_purchases_min=10))
        self.registry = CollectorRegistry()
        self.holder = BundleHolder()
        self.live = LiveChanges(self.settings, self.holder, ServingMetrics(self.registry))
        self.file = self.settings.live_dir / TRENDS_FILE

    def write(self, item: str = "I000009", purchases: float = 90.0, at: datetime = LATER) -> None:
        row = {"region": "", "item_id": item, "updated_at": at, "purchases": purchases, "expected": 1.0}
        write_trends(self.file, pl.DataFrame([row | {"region_purchases": purchases, "region_usual": 50.0}]))

    def first(self, served: ServedBundle | None = None) -> tuple[str, str]:
        """What is most popular, and what trends most."""
        answering = served or self.holder.current
        assert answering is not None
        tables = (answering.trends.popular, answering.trends.trending)
        popular, trending = (answering.tables.items.ids.name(int(table.by_segment[OVERALL].index[0])) for table in tables)
        return popular, trending

    async def look(self) -> None:
        await self.live._trends.look()

    def counted(self, outcome: str) -> float | None:
        return self.registry.get_sample_value("endcap_trend_refreshes_total", {"outcome": outcome})


async def test_a_new_file_is_taken_up_once_and_a_broken_one_leaves_it(tmp_path: Path, promoted: Callable[[int], Bundle]) -> None:
    parts = Transformer(tmp_path)
    parts.holder.current = parts.live.load(promoted(1))
    own = parts.first()
    await parts.look()
    assert parts.counted("applied") is None
    parts.write()
    await parts.look()
    await parts.look()
    assert parts.first() == ("I000009", "I000009") != own
    assert (parts.counted("applied"), parts.registry.get_sample_value("endcap_live_trend_segments")) == (1, 1)
    parts.file.write_bytes(b"half a fi")
    with capture_logs() as lines:
        await parts.look()
        await parts.look()
    assert [line["log_level"] for line in lines] == ["error"]
    assert (parts.first()[0], parts.counted("failed")) == ("I000009", 1)
    parts.write(purchases=9.0)
    await parts.look()
    assert parts.first() == own, "too little evidence"


async def test_a_bundle_begins_with_the_trends_on_disk_and_keeps_them_over_a_swap(
    tmp_path: Path, promoted: Callable[[int], Bundle]
) -> None:
    parts = Transformer(tmp_path)
    parts.write()
    parts.holder.current = parts.live.load(promoted(1))
    assert parts.first()[0] == "I000009"
    parts.file.write_bytes(b"half a fi")
    assert parts.first(parts.live.load(promoted(2)))[0] == "I000009"
    parts.file.unlink()
    parts.holder.current = parts.live.load(promoted(3))
    await parts.look()
    assert parts.first()[0] == "I000009"


async def test_another_bundle_gets_the_file_for_its_own_data(tmp_path: Path, promoted: Callable[[int], Bundle]) -> None:
    """Counts from before a bundle's data end are nothing new to it."""
    parts = Transformer(tmp_path)
    parts.holder.current = parts.live.load(promoted(1))
    own = parts.first()
    parts.write(at=DATA_END)
    await parts.look()
    assert parts.first() == own
