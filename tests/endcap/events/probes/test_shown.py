from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from endcap.events.probes.shown import StationShown, stations_shown
from endcap.events.probes.stations import Station
from endcap_stream.metrics import StreamMetrics

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def shown(delays: list[float]) -> dict[Station, StationShown]:
    """What a stream shows after probes of these delays reached the online store."""
    now, registry = [NOW], CollectorRegistry()
    metrics = StreamMetrics(registry, lambda: now[0], (), (), 10.0)
    for number, delay in enumerate(delays):
        made = NOW + timedelta(seconds=10 * number)
        now[0] = made + timedelta(seconds=delay)
        metrics.stations.note(Station.ONLINE_STORE, made)
    return {each.station: each for each in stations_shown(generate_latest(registry).decode())}


def test_stations_come_in_their_order_and_without_a_probe_they_have_none() -> None:
    found = shown([])
    assert list(found) == [Station.READ, Station.STEPPED, Station.ONLINE_STORE]
    assert found[Station.READ] == StationShown(Station.READ, None, None)


@pytest.mark.parametrize(("delays", "least", "most"), [([0.9], 0.75, 1.0), ([0.3, 0.6, 2.0], 0.5, 0.75), ([1_000.0], 300.0, 300.0)])
def test_half_of_the_delays_are_not_above_what_is_shown(delays: list[float], least: float, most: float) -> None:
    found = shown(delays)[Station.ONLINE_STORE]
    assert found.delay_seconds is not None
    assert least <= found.delay_seconds <= most
    assert found.made_at == NOW + timedelta(seconds=10 * (len(delays) - 1))
    assert found.age_seconds(found.made_at + timedelta(seconds=4)) == 4.0


def test_what_is_no_probes_metric_is_passed_over() -> None:
    assert stations_shown('# HELP x\nx 1\nother{station="read"} 5\n') == []
