"""The stream of a cluster, as a process: it waits for who says which bundle is served, and follows a change without a restart."""

import json
import signal
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from endcap.catalogue.item_updates import UPDATES_FILE, read_updates
from endcap.contracts.bundle import MANIFEST_NAME, BundleManifest, FileEntry
from endcap.events.log.writer import LogFile, Rotation
from endcap.release.bundle.manifest import present_feature_columns
from endcap.release.bundle.served_pointer import ServedPointer, write_pointer
from endcap.release.bundle.verification import sha256_of
from endcap_benchmarks.synthetic.bundle import SyntheticSize, manifest_fields
from tests.services.stream.stream_process import StreamProcess
from tests.services.stream.test_job import line
from tests.waiting import until

pytestmark = pytest.mark.processes

WITHIN_S = 60.0
COUNTED_BEFORE = 1_000.0


def _store_bundle(store: Path, version: int, data_end: datetime) -> None:
    """As much of a bundle as the stream reads."""
    folder = store / str(version) / "endcap" / str(version)
    items = folder / "tables" / "items.parquet"
    items.parent.mkdir(parents=True)
    counts = {f"feature_purchases_{days}d": [COUNTED_BEFORE] for days in (7, 28)}
    pl.DataFrame({"item_id": ["tea"], **counts}).write_parquet(items)
    files = {"tables/items.parquet": FileEntry(size_bytes=items.stat().st_size, sha256=sha256_of(items))}
    fields = manifest_fields(version, "collection", SyntheticSize())
    fields |= {"data_end": data_end, "files": files, "features": present_feature_columns()}
    (folder / MANIFEST_NAME).write_text(BundleManifest.model_validate(fields).model_dump_json())


def _bought(name: str) -> bytes:
    return line(name, "purchase", session=f"visit {name}", item_id="tea", quantity=1, unit_price=2.0, currency="USD", order_id=name)


def test_rows_wait_until_it_is_said_what_is_served_and_another_bundle_is_taken_up(tmp_path: Path) -> None:
    home, pointer, store = tmp_path / "home", tmp_path / "served.json", tmp_path / "store"
    stream = StreamProcess(home, {"ENDCAP_ROLLOUTS__SERVED_FILE": str(pointer), "ENDCAP_ROLLOUTS__BUNDLE_STORE": str(store)})
    log = LogFile(home / "events", lambda: datetime.now(UTC), Rotation())

    def failures() -> float:
        return stream.value('endcap_stream_delivery_failures_total{sink="item_counters"}')

    def counted() -> float:
        path = home / "live" / UPDATES_FILE
        rows = read_updates(path).sort("updated_at").to_dicts() if path.exists() else []
        return float(rows[-1]["purchases_7d"] or 0) if rows else 0.0

    try:
        log.append_synced(_bought("1") + _bought("2"))
        until(lambda: failures() >= 1, "the delivery failed", WITHIN_S)
        assert stream.is_ready(), "it takes events all the same"
        assert stream.value("endcap_stream_events_taken_total") == 2
        assert counted() == 0
        write_pointer(pointer, ServedPointer(version=None))
        until(lambda: counted() == 2, "counts of a shop that serves nothing yet", WITHIN_S)
        write_pointer(pointer, ServedPointer(version=5))
        before = failures()
        log.append_synced(_bought("3"))
        until(lambda: failures() > before, "the store lacks the bundle", WITHIN_S)
        _store_bundle(store, 5, datetime.now(UTC))
        until(lambda: counted() > COUNTED_BEFORE, "what the bundle counted is among the counts", WITHIN_S)
        assert counted() == pytest.approx(COUNTED_BEFORE + 3, rel=0.01)
    finally:
        code = stream.end(signal.SIGTERM)
        log.close()
    assert code == 0
    assert "nobody has said which bundle is served" in _said(tmp_path)
    assert "the store does not have the file" in _said(tmp_path)


def _said(folder: Path) -> str:
    """The process's log."""
    lines = [text for path in folder.glob("endcap_stream-*.log") for text in path.read_text().splitlines()]
    return json.dumps(lines)
