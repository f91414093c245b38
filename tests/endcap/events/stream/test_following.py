import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from endcap.events.log.writer import FILE_SUFFIX, NAME_TIME, OPEN_SUFFIX
from endcap.events.probes.line import probe_line
from endcap.events.stream.following import Arrived, LogFollower
from tests.endcap.events.stream.streamed_events import BEGIN, event
from tests.properties import examples

NOW = BEGIN + timedelta(days=1)


def line(name: str, seconds: float, arrives: float | None = None) -> bytes:
    fields = event(name, seconds, "page_view", arrives=arrives)
    moments = {key: value.isoformat().replace("+00:00", "Z") for key, value in fields.items() if isinstance(value, datetime)}
    return json.dumps({**fields, **moments}).encode() + b"\n"


def ids(*names: str) -> list[str]:
    return [str(event(name, 0, "page_view")["event_id"]) for name in names]


class Log:
    """A folder of log files and where a reader of it stands."""

    def __init__(self, folder: Path, part_bytes: int = 1 << 20) -> None:
        self.folder, self.places = folder, dict[str, int]()
        self.follower = LogFollower(folder, part_bytes, lambda: NOW)
        folder.mkdir(exist_ok=True)

    def path(self, writer: str, begun: datetime = BEGIN, suffix: str = OPEN_SUFFIX) -> Path:
        return self.folder / f"{begun:{NAME_TIME}}-{writer}{suffix}"

    def look(self) -> Arrived:
        arrived = self.follower.look(self.places)
        self.places.update(arrived.places)
        for name in arrived.gone:
            del self.places[name]
        return arrived

    def rest(self) -> list[str]:
        """Ids of all that is there, look by look."""
        found: list[str] = []
        while not (arrived := self.look()).is_nothing:
            found += arrived.events["event_id"].to_list()
        return found


def test_whole_lines_are_read_once_while_a_file_grows_and_gets_its_name(tmp_path: Path) -> None:
    log = Log(tmp_path / "events")
    assert log.look().is_nothing
    path = log.path("1")
    path.write_bytes(line("a", 0) + line("b", 1)[:30])
    assert log.rest() == ids("a")
    path.write_bytes(line("a", 0) + line("b", 1))
    path.rename(log.path("1", suffix=FILE_SUFFIX))
    assert log.rest() == ids("b")
    assert log.look().is_nothing


def test_a_folder_that_is_not_there_yet_has_nothing(tmp_path: Path) -> None:
    assert LogFollower(tmp_path / "none", 1_000, lambda: NOW).look({}).is_nothing


def test_a_file_that_is_removed_is_forgotten(tmp_path: Path) -> None:
    log = Log(tmp_path)
    path = log.path("1", suffix=FILE_SUFFIX)
    path.write_bytes(line("a", 0))
    assert log.rest() == ids("a")
    path.unlink()
    arrived = log.look()
    assert list(arrived.gone) == [path.name.removesuffix(FILE_SUFFIX)]
    assert not log.places and log.look().is_nothing


def test_files_of_two_writers_are_read_side_by_side_however_far_behind(tmp_path: Path) -> None:
    log = Log(tmp_path, part_bytes=2_000)
    for writer, offset in (("1", 0), ("2", 30)):
        log.path(writer).write_bytes(b"".join(line(f"{writer} {place}", place * 60 + offset) for place in range(100)))
    arrivals: list[datetime] = []
    while not (arrived := log.look()).is_nothing:
        arrivals += arrived.events["received_at"].to_list()
    assert len(arrivals) == 200
    assert arrivals == sorted(arrivals)


def test_of_many_finished_files_the_first_are_read_first(tmp_path: Path) -> None:
    log = Log(tmp_path)
    for hour in range(12):
        begun = BEGIN + timedelta(hours=hour)
        log.path("1", begun, FILE_SUFFIX).write_bytes(b"".join(line(f"{hour} {each}", hour * 3_600 + each * 600) for each in range(6)))
    first = log.look()
    assert first.is_behind and 0 < len(first.events) < 72
    rest = log.rest()
    assert len(first.events) + len(rest) == 72 and not log.look().is_behind


def test_a_broken_line_is_named_by_its_place(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.path("1").write_bytes(line("a", 0))
    log.rest()
    log.path("1").write_bytes(line("a", 0) + b"broken\n" + line("b", 1))
    arrived = log.look()
    assert arrived.events["event_id"].to_list() == ids("b")
    assert [(each.byte, each.broken.line, each.broken.content) for each in arrived.broken] == [(len(line("a", 0)), 0, b"broken")]


def test_a_line_longer_than_a_part_is_read(tmp_path: Path) -> None:
    log = Log(tmp_path, part_bytes=64)
    log.path("1").write_bytes(line("a", 0) + line("b", 1))
    assert log.rest() == ids("a", "b")


written = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 7_200), st.integers(0, 120)), max_size=30)


@examples(20)
@given(written, st.integers(100, 3_000), st.data())
def test_whatever_is_written_is_read_once(
    tmp_path_factory: Any, drawn: Sequence[tuple[int, int, int]], part: int, data: st.DataObject
) -> None:
    log = Log(tmp_path_factory.mktemp("log"), part)
    found: list[str] = []
    names: list[str] = []
    for number, (writer, second, delay) in enumerate(drawn):
        names.append(str(number))
        with log.path(str(writer)).open("ab") as file:
            file.write(line(str(number), second, second + delay))
        if data.draw(st.booleans()):
            found += log.look().events["event_id"].to_list()
        if data.draw(st.integers(0, 9)) == 0:
            log.follower = LogFollower(log.folder, part, lambda: datetime(2030, 1, 1, tzinfo=UTC))
    found += log.rest()
    assert sorted(found) == sorted(ids(*names))


def probe(seconds: float) -> bytes:
    return probe_line("a", BEGIN + timedelta(seconds=seconds), Random(1)).encode()


def test_probes_are_told_apart_with_the_file_they_stand_in(tmp_path: Path) -> None:
    log = Log(tmp_path / "events")
    log.path("1").write_bytes(line("a", 0) + probe(1))
    arrived = log.look()
    assert arrived.events["event_id"].to_list() == ids("a")
    assert arrived.probes.rows() == [(log.path("1").name.removesuffix(OPEN_SUFFIX), BEGIN + timedelta(seconds=1))]
    assert not arrived.is_probes_only
    with log.path("1").open("ab") as file:
        file.write(probe(2))
    assert (only := log.look()).is_probes_only and not only.is_nothing
    assert log.look().is_nothing


def test_a_part_of_probes_alone_says_how_far_its_file_was_read(tmp_path: Path) -> None:
    probes = b"".join(probe(each) for each in range(20))
    log = Log(tmp_path / "events", len(probes))
    log.path("1").write_bytes(probes + line("a", 30))
    log.path("2").write_bytes(line("b", 60))
    assert log.look().events.is_empty(), "what came later in another file waits for the rest of this one"
    assert log.rest() == ids("a", "b")
