"""A probe among rows that are delivered."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from endcap.contracts.probe import ONLINE_ID
from endcap.core.errors import DependencyUnavailable
from endcap.events.probes.session_row import session_row
from endcap.events.probes.stations import ProbeStations, Station
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import ProbeRow, Subscription
from endcap.events.stream.whole_log import run_to_end
from endcap.features.store.probe_row import newest_probe
from endcap_stream.probed_sink import probed
from tests.endcap.events.stream.streamed_events import BEGIN, Collected, event, frame


class Place:
    """A sink of visits that can be read."""

    def __init__(self) -> None:
        self.sink = Collected(("session_id",))
        self.reads = 0
        self.is_silent = False
        self.moments: dict[Station, float] = {}
        stations = ProbeStations((Station.ONLINE_STORE,), lambda: BEGIN, self.moments.__setitem__, lambda *_: None)
        self.probed = probed(Subscription(Sessions(), self.sink, probe=ProbeRow(session_row, ONLINE_ID, self.read_back)), stations)

    def read(self, user_id: str | None, session_id: str | None) -> dict[str, object]:
        return {"session": self.sink.rows.get((session_id,))}

    def read_back(self) -> datetime | None:
        self.reads += 1
        if self.is_silent:
            raise DependencyUnavailable("no answer")
        return newest_probe(self)


def visits() -> pl.DataFrame:
    return run_to_end([Sessions()], frame([event("1", 0, "click", item_id="a")]))["sessions"]


def test_a_probe_is_noted_once_it_is_read_back() -> None:
    place, made = Place(), BEGIN + timedelta(microseconds=1_234_567)
    place.probed.deliver(pl.concat([visits(), session_row(made)]))
    assert place.moments[Station.ONLINE_STORE] == made.timestamp()
    assert ("s",) in place.sink.rows


def test_rows_without_a_probe_cost_no_read() -> None:
    place = Place()
    for rows in (visits(), visits().clear()):
        place.probed.deliver(rows)
    assert (place.reads, place.moments) == (0, {Station.ONLINE_STORE: 0.0})


@pytest.mark.parametrize("fault", ["away", "silent"])
def test_a_place_that_is_away_or_gives_nothing_back_has_no_probe(fault: str) -> None:
    place = Place()
    place.sink.is_away, place.is_silent = fault == "away", fault == "silent"
    with pytest.raises((ConnectionError, DependencyUnavailable)):
        place.probed.deliver(session_row(BEGIN))
    assert place.moments[Station.ONLINE_STORE] == 0.0


def test_a_place_that_has_an_older_probe_says_that_one() -> None:
    place = Place()
    place.probed.deliver(session_row(BEGIN))
    place.sink.deliver = lambda _: None  # type: ignore[method-assign]
    place.probed.deliver(session_row(BEGIN + timedelta(seconds=10)))
    assert place.moments[Station.ONLINE_STORE] == BEGIN.timestamp()


def test_a_sink_that_probes_do_not_go_to_stays_as_it_is() -> None:
    sink = Collected(("session_id",))
    stations = ProbeStations((), lambda: BEGIN, lambda *_: None, lambda *_: None)
    assert probed(Subscription(Sessions(), sink), stations) is sink
