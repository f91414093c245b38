"""The stream's loop in this process, over a real event log."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from endcap.core.errors import DependencyUnavailable
from endcap.core.ports import free_port
from endcap.core.settings import Settings
from endcap.events.dead_letters.letters import letter_table
from endcap.events.log.writer import LogFile, Rotation
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import Subscription
from endcap_stream.endpoints import serving
from endcap_stream.job import Job
from tests.endcap.events.stream.streamed_events import Collected, event
from tests.waiting import until


def line(name: str, kind: str = "click", **fields: object) -> bytes:
    """An event of now."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({**event(name, 0, kind, **fields), "occurred_at": now, "received_at": now}).encode() + b"\n"


@contextmanager
def running(settings: Settings, sink: Collected, registry: CollectorRegistry) -> Iterator[Job]:
    job = Job(settings, [Subscription(Sessions(), sink)], registry)
    stop = threading.Event()
    # SQLite's connection is of the thread that runs the job.
    thread = threading.Thread(target=job.run, args=(stop,))
    thread.start()
    try:
        yield job
    finally:
        stop.set()
        thread.join(60)


def value(registry: CollectorRegistry, name: str, **labels: str) -> Callable[[], float]:
    return lambda: registry.get_sample_value(name, labels) or 0.0


def test_what_is_appended_is_delivered_counted_and_not_taken_again_after_a_restart(tmp_path: Path) -> None:
    settings, sink, log = (
        Settings(home=tmp_path),
        Collected(("session_id",)),
        LogFile(tmp_path / "events", lambda: datetime.now(UTC), Rotation()),
    )
    registry = CollectorRegistry()
    with running(settings, sink, registry) as job:
        until(lambda: job.is_ready, "the first look")
        log.append_synced(line("1", item_id="a") + b"broken\n" + line("1", item_id="a") + line("2", item_id="undefined"))
        until(lambda: ("s",) in sink.rows, "the row is delivered")
        assert sink.rows["s",]["session_item_ids"] == ["a"]
        until(lambda: len(letter_table(settings.dead_letter_dir)) == 1, "the dead letter")
    assert value(registry, "endcap_stream_events_taken_total")() == 1
    assert value(registry, "endcap_stream_events_rejected_total")() == 1
    assert value(registry, "endcap_stream_placeholder_ids_total")() == 1
    assert value(registry, "endcap_stream_events_left_out_total", reason="duplicate")() == 1
    assert value(registry, "endcap_stream_events_left_out_total", reason="no_id")() == 1
    log.append_synced(line("3", item_id="b"))
    again, registry = Collected(("session_id",)), CollectorRegistry()
    with running(settings, again, registry):
        until(lambda: ("s",) in again.rows, "the row is delivered")
    assert again.rows["s",]["session_item_ids"] == ["a", "b"]
    assert value(registry, "endcap_stream_events_taken_total")() == 1
    assert value(registry, "endcap_stream_watermark_timestamp_seconds")() > 0
    log.close()


def test_a_sink_that_is_away_stops_nothing_and_its_rows_are_shown_as_waiting(tmp_path: Path) -> None:
    settings, sink, registry = Settings(home=tmp_path), Collected(("session_id",)), CollectorRegistry()
    sink.is_away = True
    log = LogFile(tmp_path / "events", lambda: datetime.now(UTC), Rotation())
    log.append_synced(line("1", item_id="a"))
    with running(settings, sink, registry):
        until(value(registry, "endcap_stream_delivery_failures_total", sink="sessions"), "the delivery failed")
        log.append_synced(line("2", item_id="b"))
        until(lambda: value(registry, "endcap_stream_events_taken_total")() == 2, "both are taken")
        sink.is_away = False
        until(lambda: ("s",) in sink.rows and len(sink.rows["s",]["session_item_ids"]) == 2, "the row is delivered")
    log.close()


def test_a_log_that_cannot_be_read_is_looked_at_again(tmp_path: Path) -> None:
    settings, sink, registry = Settings(home=tmp_path), Collected(("session_id",)), CollectorRegistry()
    (tmp_path / "events").write_text("no folder")
    with running(settings, sink, registry) as job:
        until(value(registry, "endcap_stream_failures_total"), "the look failed")
        assert not job.is_ready
        (tmp_path / "events").unlink()
        until(lambda: job.is_ready, "the next look", 60)


def test_health_readiness_and_metrics_are_answered() -> None:
    registry, is_ready, port = CollectorRegistry(), [False], free_port()
    with (
        serving("127.0.0.1", port, registry, lambda: is_ready[0]),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        assert client.get("/healthz").json() == {"live": True}
        assert client.get("/readyz").status_code == 503
        is_ready[0] = True
        assert client.get("/readyz").json() == {"ready": True}
        assert client.get("/metrics").status_code == 200
        assert client.get("/else").status_code == 404
        with pytest.raises(DependencyUnavailable, match="ENDCAP_STREAM__PORT"), serving("127.0.0.1", port, registry, lambda: True):
            pass
