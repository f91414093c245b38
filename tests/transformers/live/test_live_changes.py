"""Rules, items and click evidence of a bundle that is loaded, and of the one that answers."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from endcap.catalogue.item_updates import write_updates
from endcap.core.settings import Settings
from endcap.engine.exploration.evidence import EVIDENCE_FILE, EVIDENCE_SCHEMA, Evidence
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.rule_book import RuleBook
from endcap.release.bundle.manifest import Bundle
from endcap_benchmarks.synthetic.bundle import DATA_END
from endcap_transformer.live.bundle_watch import BundleHolder
from endcap_transformer.live.live_changes import ITEM_UPDATES_NAME, LiveChanges
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.telemetry.metrics import ServingMetrics

ITEM = "I000001"
PRICE = 999.0
DEAR = f"version: 1\nrules:\n  - {{id: dear, where: price >= {PRICE}, exclude: true}}\n"


class Parts:
    """What of a transformer changes."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.holder = BundleHolder()
        self.live = LiveChanges(self.settings, self.holder, ServingMetrics(CollectorRegistry()))
        self.settings.live_dir.mkdir(parents=True, exist_ok=True)

    def write_rules(self) -> None:
        self.settings.rules_file.parent.mkdir(parents=True, exist_ok=True)
        self.settings.rules_file.write_text(DEAR)

    def write_items(self) -> None:
        row = {"item_id": ITEM, "updated_at": DATA_END + timedelta(days=1), "availability": "out_of_stock", "price": PRICE}
        write_updates(self.settings.live_dir / ITEM_UPDATES_NAME, pl.DataFrame([row]))

    def write_evidence(self) -> None:
        row = {"item_id": ITEM, "impressions": 900.0, "clicks": 9.0, "as_of": DATA_END}
        pl.DataFrame([row], schema=EVIDENCE_SCHEMA).write_parquet(self.settings.live_dir / EVIDENCE_FILE)

    def clicks(self) -> float:
        assert self.holder.current is not None
        return float(self.holder.current.evidence.clicks.sum())


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


def is_in_stock(served: ServedBundle) -> bool:
    items = served.tables.items
    return bool(items.available[items.ids.code(ITEM)])


def test_a_bundle_begins_with_the_updates_and_with_rules_that_know_them(parts: Parts, promoted: Callable[[int], Bundle]) -> None:
    parts.write_items()
    parts.write_rules()
    served = parts.live.load(promoted(1))
    assert not is_in_stock(served) and served.content.items is served.tables.items
    mask = served.rules.excluded(served.rules.active(RuleContext("home", (), DATA_END)))
    assert mask is not None and served.tables.items.ids.name(int(mask.argmax())) == ITEM and mask.sum() == 1


def test_rules_are_compiled_once_for_a_bundle_with_updates(
    parts: Parts, promoted: Callable[[int], Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    make = RuleBook.__init__

    def counted(*given: object) -> None:
        made.append(1)
        make(*given)

    monkeypatch.setattr(RuleBook, "__init__", counted)
    parts.write_items()
    parts.live.load(promoted(1))
    assert len(made) == 1


@pytest.mark.parametrize("harm", [lambda path: path.write_bytes(b"half a fi"), Path.unlink])
def test_what_is_sold_out_stays_so_over_a_swap_beside_a_broken_or_missing_file(
    parts: Parts, promoted: Callable[[int], Bundle], harm: Callable[[Path], object]
) -> None:
    parts.write_items()
    parts.holder.current = parts.live.load(promoted(1))
    harm(parts.settings.live_dir / ITEM_UPDATES_NAME)
    assert not is_in_stock(parts.live.load(promoted(2)))


async def test_new_click_evidence_is_taken_up_and_a_broken_one_leaves_it(parts: Parts, promoted: Callable[[int], Bundle]) -> None:
    parts.holder.current = parts.live.load(promoted(1))
    await parts.live.look_for_evidence()
    assert parts.clicks() == 0
    parts.write_evidence()
    await parts.live.look_for_evidence()
    assert parts.clicks() == 9
    (parts.settings.live_dir / EVIDENCE_FILE).write_bytes(b"half a fi")
    with capture_logs() as lines:
        await parts.live.look_for_evidence()
        await parts.live.look_for_evidence()
    assert parts.clicks() == 9 and len(lines) == 1


async def test_click_evidence_read_for_a_bundle_that_was_replaced_is_read_again(
    parts: Parts, promoted: Callable[[int], Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = parts.live.load(promoted(1)), parts.live.load(promoted(2))
    parts.holder.current = first
    parts.write_evidence()
    read = Evidence.read

    def swapped_meanwhile(*given: object) -> Evidence:
        parts.holder.current = second
        return read(*given)

    with monkeypatch.context() as patched:
        patched.setattr(Evidence, "read", swapped_meanwhile)
        await parts.live.look_for_evidence()
    assert parts.clicks() == 0
    await parts.live.look_for_evidence()
    assert parts.clicks() == 9


async def test_click_evidence_is_looked_for_after_a_failure_of_any_kind(
    parts: Parts, promoted: Callable[[int], Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts.holder.current = parts.live.load(promoted(1))
    parts.write_evidence()
    read, failures = Evidence.read, [RuntimeError("anything"), MemoryError("too large")]

    def failing_at_first(*given: object) -> Evidence:
        if failures:
            raise failures.pop(0)
        return read(*given)

    monkeypatch.setattr(Evidence, "read", failing_at_first)
    monkeypatch.setattr("endcap_transformer.live.live_changes.EVIDENCE_LOOK_SECONDS", 0)
    *others, evidence = parts.live.watchers()
    for other in others:
        other.close()
    with capture_logs() as lines:
        watching = asyncio.create_task(evidence)
        async with asyncio.timeout(20):
            while not parts.clicks():  # noqa: ASYNC110 - the watcher has no event to wait for
                await asyncio.sleep(0)
    watching.cancel()
    assert [(line["kind"], line["cause"]) for line in lines] == [("RuntimeError", "anything"), ("MemoryError", "too large")]


async def test_click_evidence_that_cannot_be_looked_at_is_said_and_leaves_the_earlier_one(
    parts: Parts, promoted: Callable[[int], Bundle]
) -> None:
    parts.write_evidence()
    parts.holder.current = parts.live.load(promoted(1))
    file = parts.settings.live_dir / EVIDENCE_FILE
    file.unlink()
    file.symlink_to(file)
    with capture_logs() as lines:
        await parts.live.look_for_evidence()
        await parts.live.look_for_evidence()
    assert parts.clicks() == 9 and len(lines) == 1


def test_a_bundle_beside_click_evidence_that_cannot_be_used_begins_without_any_and_says_so(
    parts: Parts, promoted: Callable[[int], Bundle]
) -> None:
    parts.settings.live_dir.mkdir(parents=True, exist_ok=True)
    (parts.settings.live_dir / EVIDENCE_FILE).write_bytes(b"half a fi")
    with capture_logs() as lines:
        parts.holder.current = parts.live.load(promoted(1))
    assert parts.clicks() == 0
    assert [line["event"] for line in lines] == ["click evidence refused; starting without any"]
