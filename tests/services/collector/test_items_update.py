"""`endcap items update` where a collector answers."""

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.catalogue.changes.change_log import read_changes
from endcap.cli.items import app
from endcap.core.errors import InvalidInput
from tests.services.collector.collector_process import CollectorProcess

pytestmark = pytest.mark.processes


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CollectorProcess]:
    process = CollectorProcess(tmp_path / "home")
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ENDCAP_COLLECTOR__PORT", process.address.rpartition(":")[2])
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield process
    process.end(signal.SIGTERM)


def test_changes_go_to_the_collector_and_the_servers_file_is_left_to_the_stream(collector: CollectorProcess, tmp_path: Path) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    text = f"item_id,price,availability,updated_at\na,2.5,,2026-01-01T00:00:00.25Z\nb,,out_of_stock,\nc,1,,{ahead}\n"
    result = CliRunner().invoke(app, ["update", "-", "--json"], input=text, catch_exceptions=False)
    report = json.loads(result.stdout)
    assert (report["good"], report["accepted"], report["refused"], report["collector"]) == (3, 2, 1, collector.address)
    assert "c: updated_at: more than five minutes ahead" in result.stderr
    changes = read_changes(tmp_path / "home" / "catalogue").sort("item_id")
    assert changes.select("item_id", "price", "availability").rows() == [("a", 2.5, None), ("b", None, "out_of_stock")]
    assert changes["updated_at"][0] == datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)
    assert not (tmp_path / "home" / "live").exists()
    assert (
        f"{collector.address} took 2 and refused 1." in CliRunner().invoke(app, ["update", "-"], input=text, catch_exceptions=False).stdout
    )
    with pytest.raises(InvalidInput, match="stop collector and stream first"):
        CliRunner().invoke(app, ["update", "-", "--replace"], input=text, catch_exceptions=False)
