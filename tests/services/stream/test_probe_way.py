"""A probe's whole way over real parts, and what a dead part does to it."""

import asyncio
import re
import shutil
import signal
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import CollectorRegistry, start_http_server

from endcap.core.clock import system_clock
from endcap.core.ports import free_port
from endcap.core.settings import Settings
from endcap.events.dead_letters.letters import letter_table
from endcap.events.log.reader import read_events
from endcap.events.probes.shown import stations_shown
from endcap.events.probes.stations import Station
from endcap.features.store.online import OnlineFeatures
from endcap_transformer.live.probe_watch import watch_probes
from endcap_transformer.telemetry.metrics import ServingMetrics
from tests.kafka_broker.broker import KafkaBroker
from tests.prometheus_server import PrometheusServer, running_prometheus
from tests.services.collector.collector_process import CollectorProcess
from tests.services.stream.stream_process import StreamProcess
from tests.waiting import until

pytestmark = pytest.mark.processes

EVERY_SECONDS = 0.5
SETTINGS = {"ENDCAP_EVENTS__PROBE_SECONDS": str(EVERY_SECONDS)}
RULES = Path(__file__).parents[3] / "monitoring" / "alert-rules.yaml"
ALERTS = {rule["alert"]: rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}


@contextmanager
def watching(home: Path) -> Iterator[str]:
    """What of a transformer has to do with probes, by the address of its metrics."""
    registry, port, loop = CollectorRegistry(), free_port(), asyncio.new_event_loop()
    stations = ServingMetrics(registry).show_probes(EVERY_SECONDS, system_clock)
    server, thread_of_server = start_http_server(port, "127.0.0.1", registry)
    task = loop.create_task(watch_probes(OnlineFeatures.open(Settings(home=home)), stations, EVERY_SECONDS))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(task.cancel)
        until(task.done, "the watch ends")
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        server.shutdown()
        server.server_close()
        thread_of_server.join()


@contextmanager
def processes(home: Path, settings: Mapping[str, str]) -> Iterator[tuple[CollectorProcess, StreamProcess]]:
    """A collector and a stream, which end with the block however it ends."""
    collector = CollectorProcess(home, settings)
    stream = None
    try:
        stream = StreamProcess(home, settings)
        yield collector, stream
    finally:
        for part in (collector, stream):
            if part is not None:
                part.end(signal.SIGKILL)


def newest(*addresses: str) -> dict[Station, float]:
    """Moments of the newest probes by station, of all parts."""
    found: dict[Station, float] = {}
    for address in addresses:
        for each in stations_shown(httpx.get(f"http://{address}/metrics", trust_env=False).text):
            found[each.station] = each.made_at.timestamp() if each.made_at else 0.0
    return found


def is_newer(before: dict[Station, float], *addresses: str) -> bool:
    """Whether a newer probe came by every station."""
    now = newest(*addresses)
    return now.keys() == before.keys() and all(now[station] > before[station] for station in before)


def test_a_probe_goes_from_the_collector_to_where_requests_read_visits(store_home: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(store_home, tmp_path / "home"))
    with processes(home, SETTINGS) as (collector, stream), watching(home) as transformer:
        parts = (f"127.0.0.1:{collector.port}", f"127.0.0.1:{stream.port}", transformer)
        before = newest(*parts)
        assert list(before) == [station for station in Station if station is not Station.KAFKA]
        until(lambda: is_newer(before, *parts), "a probe came by every station")
        again = newest(*parts)
        until(lambda: is_newer(again, *parts), "another one did")
        assert stream.value("endcap_stream_events_taken_total") == 0
        assert stream.value("endcap_stream_events_rejected_total") == 0
        assert stream.value("endcap_stream_watermark_timestamp_seconds") == 0
        for part in (collector, stream):
            assert part.end(signal.SIGTERM) in (0, -signal.SIGTERM)
    assert read_events(home / "events").collect().is_empty()
    assert letter_table(home / "dead_letters").is_empty()


def topics(broker: KafkaBroker, partitions: int) -> dict[str, str]:
    """Settings of topics of their own."""
    prefix = broker.topic()
    for stem, count in (("events.v1", partitions), ("impressions.v1", 1), ("rejected.v1", 1), ("catalogue.v1", 1)):
        broker.make_topic(f"{prefix}.{stem}", count)
    return SETTINGS | {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap, "ENDCAP_EVENTS__TOPIC_PREFIX": prefix}


def test_by_way_of_kafka_it_comes_out_of_each_partition(broker: KafkaBroker, store_home: Path, tmp_path: Path) -> None:
    home, settings = Path(shutil.copytree(store_home, tmp_path / "home")), topics(broker, 3)
    with processes(home, settings) as (collector, stream), watching(home) as transformer:
        parts = (f"127.0.0.1:{collector.port}", f"127.0.0.1:{stream.port}", transformer)
        before = newest(*parts)
        assert list(before) == list(Station)
        until(lambda: is_newer(before, *parts), "a probe came by every station", 60)

        def partitions() -> set[str]:
            text = httpx.get(f"http://{parts[1]}/metrics", trust_env=False).text
            return set(re.findall(r'endcap_stream_probe_partition_timestamp_seconds\{partition="(\d+)"\}', text))

        until(lambda: partitions() == {"0", "1", "2"}, "one came out of each partition", 60)
        held = newest(*parts)
        broker.stop()
        until(lambda: newest(*parts)[Station.DISK] > held[Station.DISK] + 3, "probes go on to the disk")
        assert newest(*parts)[Station.KAFKA] < newest(*parts)[Station.DISK] - 1
        broker.start()
        stuck = newest(*parts)
        until(lambda: is_newer(stuck, *parts), "all of them go on once the broker is back", 60)
        assert stream.value("endcap_stream_events_taken_total") == 0
        for part in (collector, stream):
            assert part.end(signal.SIGTERM) in (0, -signal.SIGTERM)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """An online store that takes nothing."""
    with closing(sqlite3.connect(home / "feast" / "online.db", isolation_level=None)) as sql:
        until(lambda: sql.execute("BEGIN IMMEDIATE") is not None, "the lock")
        yield
        sql.execute("ROLLBACK")


def stations_of(prometheus: PrometheusServer, alert: str) -> set[str]:
    """Stations for which an alert's expression holds now."""
    answer = httpx.get(f"{prometheus.url}/api/v1/query", params={"query": ALERTS[alert]}, trust_env=False)
    return {each["metric"]["station"] for each in answer.json()["data"]["result"]}


def test_the_alerts_hold_for_the_station_behind_which_a_part_is_dead(store_home: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(store_home, tmp_path / "home"))
    settings = SETTINGS | {"ENDCAP_EVENTS__PROBE_SECONDS": "1"}
    with (
        processes(home, settings) as (collector, stream),
        watching(home) as transformer,
        running_prometheus(tmp_path / "prometheus") as prometheus,
    ):
        parts = (f"127.0.0.1:{collector.port}", f"127.0.0.1:{stream.port}", transformer)
        before = newest(*parts)
        until(lambda: is_newer(before, *parts), "a probe came by every station")
        prometheus.scrape(parts)
        prometheus.wait_scraped(*parts)
        until(lambda: not stations_of(prometheus, "EndcapProbeMissing"), "all is well")
        assert stations_of(prometheus, "EndcapProbeUnseen") == set()
        with locked(home):
            until(lambda: "online_store" in stations_of(prometheus, "EndcapProbeMissing"), "the online store is missed", 60)
            until(lambda: stations_of(prometheus, "EndcapProbeMissing") == {"online_store", "transformer"}, "and behind it", 60)
        until(lambda: not stations_of(prometheus, "EndcapProbeMissing"), "probes come by again", 60)
        stream.end(signal.SIGKILL)
        until(lambda: stations_of(prometheus, "EndcapProbeUnseen") == {"read"}, "the stream is missed", 60)
        collector.end(signal.SIGKILL)
        until(lambda: stations_of(prometheus, "EndcapProbeUnseen") == {"disk", "read"}, "the collector is missed", 60)
        until(lambda: "transformer" in stations_of(prometheus, "EndcapProbeMissing"), "the transformer misses probes", 60)
