from datetime import UTC, datetime, timedelta

import pytest

from endcap.events.probes.stations import STATIONS, ProbeStations, Station

BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)


class Shown:
    """Stations whose clock a test sets."""

    def __init__(self, *stations: Station) -> None:
        self.now = BEGIN
        self.moments: dict[Station, float] = {}
        self.delays: list[tuple[Station, float]] = []
        self.stations = ProbeStations(
            stations, lambda: self.now, self.moments.__setitem__, lambda station, seconds: self.delays.append((station, seconds))
        )

    def note(self, station: Station, made: float, after: float) -> None:
        """A probe made so many seconds after the beginning comes by so much later."""
        self.now = BEGIN + timedelta(seconds=made + after)
        self.stations.note(station, BEGIN + timedelta(seconds=made))


def test_a_station_is_shown_before_any_probe_came_by() -> None:
    assert Shown(Station.READ, Station.STEPPED).moments == {Station.READ: 0.0, Station.STEPPED: 0.0}


def test_the_newest_probe_counts_and_an_older_one_says_nothing() -> None:
    shown = Shown(Station.READ)
    for made, after in ((10, 0.5), (20, 1.5), (15, 30), (20, 40)):
        shown.note(Station.READ, made, after)
    assert shown.moments[Station.READ] == BEGIN.timestamp() + 20
    assert shown.delays == [(Station.READ, 0.5), (Station.READ, 1.5)]


def test_how_long_a_probe_lay_before_the_process_began_is_not_its_delay() -> None:
    shown = Shown(Station.TRANSFORMER)
    shown.note(Station.TRANSFORMER, -3_600, 3_700)
    assert shown.moments[Station.TRANSFORMER] == BEGIN.timestamp() - 3_600
    assert shown.delays == []


def test_a_clock_that_is_behind_the_makers_gives_no_delay_below_nothing() -> None:
    shown = Shown(Station.READ)
    shown.note(Station.READ, 10, -0.25)
    assert shown.delays == [(Station.READ, 0.0)]


@pytest.mark.parametrize("station", Station)
def test_each_station_is_explained(station: Station) -> None:
    assert STATIONS[station].endswith(".")
