"""What a collector's pod waits for before it goes, tried on a collector: Kafka has its spool, or the time is up."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from endcap.contracts.event_type import EventType
from tests.charts.chart import CHART
from tests.endcap.events.sent_events import sent
from tests.services.collector.collector_process import CollectorProcess

pytestmark = pytest.mark.processes

SCRIPT = (CHART / "files" / "collector" / "drained.py").read_text()
NO_KAFKA = {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": "127.0.0.1:1"}


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector whose Kafka never answers."""
    home = tmp_path / "home"
    home.mkdir()
    running = CollectorProcess(home, NO_KAFKA)
    yield running
    running.end(signal.SIGKILL)


def _waited(host: str, drain_seconds: str = "1") -> subprocess.CompletedProcess[str]:
    given = {"HOST": host, "PRE_STOP_SECONDS": "0", "DRAIN_SECONDS": drain_seconds}
    return subprocess.run([sys.executable, "-c", SCRIPT], env=os.environ | given, capture_output=True, text=True, check=False, timeout=60)


def test_a_pod_whose_spool_is_empty_goes_at_once(collector: CollectorProcess) -> None:
    done = _waited(f"127.0.0.1:{collector.port}", "600")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_pod_whose_spool_does_not_empty_goes_when_its_time_is_up_and_says_what_stays(collector: CollectorProcess) -> None:
    event = sent(EventType.PAGE_VIEW, datetime.now(UTC), "1")
    assert httpx.post(f"{collector.address}/v1/events", json=event, trust_env=False).json()["accepted"] == 1
    done = _waited(f"127.0.0.1:{collector.port}")
    assert done.returncode == 1
    size, words = done.stderr.split(" ", 1)
    assert int(size) > 100
    assert words.startswith("bytes wait for Kafka on this pod's volume")


def test_a_collector_that_does_not_answer_is_not_taken_for_an_empty_one() -> None:
    done = _waited("127.0.0.1:1")
    assert done.returncode == 1
    assert "an unknown number of bytes" in done.stderr
