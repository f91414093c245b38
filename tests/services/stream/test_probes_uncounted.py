"""A log with probes gives the rows, counts, outcomes and watermark that it gives without them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import Phase, given
from hypothesis import strategies as st

from endcap.contracts.event import Event
from endcap.contracts.probe import ONLINE_ID, PROBE
from endcap.events.log.reader import read_events, read_log
from endcap.events.probes.line import probe_line
from endcap.events.probes.session_row import session_row
from endcap.events.stream.buried import LETTERS
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver, Taken
from endcap.events.stream.following import PLACE, Arrived, FoundLine
from endcap.events.stream.lines import LINE, MADE_AT, read_lines
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import ProbeRow, Subscription
from endcap.features.store.probe_row import newest_probe
from tests.endcap.events.stream.streamed_events import BEGIN, SEAL, Collected
from tests.properties import examples
from tests.services.stream.spark.made_lines import made_batches
from tests.services.stream.spark.spark_bench import all_functions

BATCHES, EVENTS = 4, 60


class Stream:
    """Every function over a folder of state, started anew for each batch."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._functions = folder, all_functions()
        self.sinks = {function.name: Collected(function.row_key) for function, _ in self._functions}
        self.letters = 0

    def take(self, lines: Sequence[bytes], now: datetime) -> Taken | None:
        """One batch; nothing comes back of one that has probes only, or nothing, while nothing is due."""
        driver = Driver(self._folder, self._subscriptions(), SEAL, lambda: now)
        read = read_lines(lines, now)
        broken = [FoundLine(now.isoformat(), place, line) for place, line in enumerate(read.broken)]
        probes = read.probes.select(pl.lit("file").alias(PLACE), MADE_AT)
        events = read.events.sort("received_at", maintain_order=True).drop(LINE)
        arrived = Arrived(events, broken, {"file": now.toordinal()}, [], is_behind=False, probes=probes)
        taken = None
        if arrived.is_probes_only and not driver.is_due():
            driver.pass_over(arrived)
        elif lines or driver.is_due():
            taken = driver.step(arrived)
        delivery = Delivery({name: driver.outboxes[name] for name in self.sinks}, self.sinks)
        assert delivery.settle(30)
        self.letters = driver.outboxes[LETTERS].waiting()
        delivery.close()
        driver.close()
        return taken

    def rows(self) -> dict[str, object]:
        """By function, without the probe's own."""
        return {name: {key: row for key, row in sink.rows.items() if key != (ONLINE_ID,)} for name, sink in self.sinks.items()}

    def probe(self) -> datetime | None:
        """What a transformer would read."""
        return newest_probe(_Store(self.sinks["sessions"].rows.get((ONLINE_ID,))))

    def _subscriptions(self) -> list[Subscription]:
        return [
            Subscription(
                *(function, self.sinks[function.name], consent),
                probe=ProbeRow(session_row, ONLINE_ID, lambda: None) if isinstance(function, Sessions) else None,
            )
            for function, consent in self._functions
        ]


class _Store:
    def __init__(self, row: dict[str, object] | None) -> None:
        self._row = row

    def read(self, user_id: str | None, session_id: str | None) -> dict[str, object] | None:
        return {"session": self._row} if (user_id, session_id) == (None, ONLINE_ID) else None


def probe(random: Random, at: datetime) -> bytes:
    return probe_line("a", at, random).strip().encode()


@pytest.mark.properties
@examples(40, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_rows_counts_and_watermark_are_those_of_a_log_without_probes(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder, random = tmp_path_factory.mktemp("probes"), Random(seed)
    without, probed = Stream(folder / "without"), Stream(folder / "probed")
    for lines, now in made_batches(Random(seed), BATCHES, EVENTS):
        made = [now - timedelta(seconds=random.uniform(0, 7_200)) for _ in range(random.randrange(6))]
        among = [*lines]
        for at in made:
            among.insert(random.randrange(len(among) + 1), probe(random, at))
        assert probed.take(among, now) == without.take(lines, now)
        assert probed.rows() == without.rows()
        assert probed.letters == without.letters
        assert not made or probed.probe() == max(made)
        alone = now + timedelta(hours=random.uniform(0, 1))
        assert probed.take([probe(random, alone)], alone) == without.take([], alone)
        assert probed.rows() == without.rows()


def test_probes_alone_move_neither_the_watermark_nor_what_is_late(tmp_path: Path) -> None:
    random, stream = Random(1), Stream(tmp_path)
    ((lines, now),) = made_batches(Random(2), 1, 20)
    first = stream.take(lines, now)
    assert first is not None
    hours = [now + timedelta(hours=each) for each in range(1, 200)]
    due = [stream.take([probe(random, at)], at) for at in hours]
    driver = Driver(tmp_path, stream._subscriptions(), SEAL, lambda: hours[-1])
    reached = driver._store.reached()
    driver.close()
    assert stream.probe() == hours[-1]
    assert reached == max((taken.at.present for taken in due if taken is not None), default=first.at.present)


def test_readers_of_the_whole_log_see_no_probe(tmp_path: Path) -> None:
    random = Random(3)
    ((lines, now),) = made_batches(random, 1, 30)
    good = [line for line in lines if not read_lines([line], now).broken]
    mixed = [each for line in good for each in (line, probe(random, BEGIN))]
    for name, content in (("without", good), ("probed", mixed)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_bytes(b"".join(line + b"\n" for line in content))
    assert read_events(tmp_path / "probed").collect().equals(read_events(tmp_path / "without").collect())
    assert (read_log(tmp_path / "probed").collect()["event_type"] == PROBE).sum() == len(good)
    for line in good:
        Event.model_validate_json(line)
