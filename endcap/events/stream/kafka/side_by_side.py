"""Messages of several partitions that were fetched and wait to be taken: side by side, by the time at which they arrived."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.clock import Clock
from endcap.events.schemas.frame import BrokenFrame, opened
from endcap.events.stream.following import PLACE, PROBES_SCHEMA, FoundLine, Read
from endcap.events.stream.lines import LINE, MADE_AT, BrokenLine

_MESSAGE_BYTES = 100
"""What a message without a value takes."""


class Fetched(NamedTuple):
    """A message as it came.

    Attributes:
        partition: `topic/number`.
        offset: in it.
        value: None for one that is to delete earlier ones of its key.
        sent_at_ms: its timestamp, in milliseconds since 1970.
    """

    partition: str
    offset: int
    value: bytes | None
    sent_at_ms: int


@dataclass(frozen=True, slots=True)
class Together:
    """What was taken.

    Attributes:
        events: in the order of arrival.
        broken: values that are none.
        next: offset of the message after the last one that was taken, by partition; only those of which some were.
        probes: PROBES_SCHEMA.
    """

    events: pl.DataFrame
    broken: Sequence[FoundLine]
    next: dict[str, int]
    probes: pl.DataFrame


@dataclass(slots=True)
class _Fetch:
    """Messages that came together, [n], those that were taken among them.

    Attributes:
        partitions: numbers of partitions.
        arrived_us: when they arrived, microseconds since 1970.
        waits: whether a message is still to be taken.
        events: with `line`, the place among the n.
        broken: the same.
        probes: the same.
    """

    partitions: NDArray[np.int32]
    offsets: NDArray[np.int64]
    arrived_us: NDArray[np.int64]
    bytes: NDArray[np.int64]
    waits: NDArray[np.bool_]
    events: pl.DataFrame
    broken: Sequence[BrokenLine]
    probes: pl.DataFrame


class SideBySide:
    """Keeps what was fetched until all partitions have come as far.

    Args:
        read: reads lines; its table has `line` and `received_at`.
        clock: the present, UTC.
        count_null: called with a topic and 1 for each message without a value.
    """

    def __init__(self, read: Read, clock: Clock, count_null: Callable[[str, int], None]) -> None:
        self._read, self._clock, self._count_null = read, clock, count_null
        self._nothing = read((), clock()).events.drop(LINE)
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self.clear()

    def clear(self) -> None:
        """Forget all that waits."""
        self._fetches: list[_Fetch] = []
        self._bytes: defaultdict[str, int] = defaultdict(int)
        self._newest_us: dict[str, int] = {}

    @property
    def bytes(self) -> int:
        """Of the values that wait."""
        return sum(self._bytes.values())

    def bytes_of(self, partition: str) -> int:
        """The same of one partition."""
        return self._bytes.get(partition, 0)

    def has(self, partition: str) -> bool:
        """Whether a message of it waits."""
        return partition in self._newest_us

    def add(self, fetched: Sequence[Fetched]) -> None:
        """Keep messages, those of a partition in its order."""
        if not fetched:
            return
        lines, broken = _lines(fetched)
        for message in fetched:
            if message.value is None:
                self._count_null(message.partition.rpartition("/")[0], 1)
        read = self._read(lines, self._clock())
        arrived = np.array([message.sent_at_ms * 1_000 for message in fetched], np.int64)
        arrived[read.events[LINE].to_numpy()] = read.events["received_at"].dt.epoch("us").to_numpy()
        arrived[read.probes[LINE].to_numpy()] = read.probes[MADE_AT].dt.epoch("us").to_numpy()
        sizes = np.array([_MESSAGE_BYTES + len(line) for line in lines], np.int64)
        partitions = np.array([self._number(message.partition) for message in fetched], np.int32)
        for number in np.unique(partitions):
            name, of = self._names[number], partitions == number
            self._bytes[name] += int(sizes[of].sum())
            self._newest_us[name] = max(self._newest_us.get(name, 0), int(arrived[of].max()))
        offsets = np.array([message.offset for message in fetched], np.int64)
        waits = np.ones(len(fetched), np.bool_)
        self._fetches.append(_Fetch(partitions, offsets, arrived, sizes, waits, read.events, [*broken, *read.broken], read.probes))

    def take(self, with_more: Collection[str] | None) -> Together:
        """Take what arrived by the moment up to which all partitions are here; all there is where each is here to its end.

        Args:
            with_more: partitions of which Kafka has more; each has something here. None to take nothing yet.
        """
        if with_more is None:
            return Together(self._nothing, (), {}, PROBES_SCHEMA.to_frame())
        horizon = min((self._newest_us[name] for name in with_more), default=None)
        stopped: set[int] = set()
        taken: list[tuple[_Fetch, NDArray[np.bool_]]] = []
        for fetch in self._fetches:
            mask = fetch.waits if horizon is None else fetch.waits & _until(fetch, horizon, stopped)
            if mask.any():
                taken.append((fetch, mask))
        together = self._together(taken)
        for fetch, mask in taken:
            fetch.waits = fetch.waits & ~mask
        self._fetches = [fetch for fetch in self._fetches if fetch.waits.any()]
        return together

    def _together(self, taken: Sequence[tuple[_Fetch, NDArray[np.bool_]]]) -> Together:
        events, broken, following, probes = [], list[FoundLine](), dict[str, int](), [PROBES_SCHEMA.to_frame()]
        for fetch, mask in taken:
            is_all = bool(mask.all())
            events.append((fetch.events if is_all else fetch.events.filter(mask[fetch.events[LINE].to_numpy()])).drop(LINE))
            broken += [self._found(fetch, line) for line in fetch.broken if mask[line.line]]
            if len(fetch.probes):
                probes.append(self._placed(fetch, fetch.probes.filter(mask[fetch.probes[LINE].to_numpy()])))
            for number in np.unique(fetch.partitions[mask]):
                name, of = self._names[number], mask & (fetch.partitions == number)
                following[name] = int(fetch.offsets[of].max()) + 1
                self._bytes[name] -= int(fetch.bytes[of].sum())
                if self._bytes[name] == 0:
                    # What is left of a partition arrived after all that was taken of it, so its newest moment holds.
                    del self._bytes[name], self._newest_us[name]
        merged = pl.concat(events).sort("received_at", maintain_order=True) if events else self._nothing
        return Together(merged, broken, following, pl.concat(probes))

    def _placed(self, fetch: _Fetch, probes: pl.DataFrame) -> pl.DataFrame:
        names = [self._names[number] for number in fetch.partitions[probes[LINE].to_numpy()]]
        return probes.select(pl.Series(PLACE, names, dtype=pl.String()), MADE_AT)

    def _found(self, fetch: _Fetch, line: BrokenLine) -> FoundLine:
        named = BrokenLine(0, line.content, line.kind, line.field, line.reason)
        return FoundLine(self._names[fetch.partitions[line.line]], int(fetch.offsets[line.line]), named)

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self._names)
            self._names.append(name)
        return self._numbers[name]


def _until(fetch: _Fetch, horizon: int, stopped: set[int]) -> NDArray[np.bool_]:
    """Which messages come before the first one of their partition that arrived after the horizon.

    Args:
        fetch: what came together.
        horizon: microseconds since 1970.
        stopped: partitions in which that one came before; those in which it is here are added.
    """
    mask = ~np.isin(fetch.partitions, list(stopped))
    late = fetch.waits & (fetch.arrived_us > horizon)
    for number in np.unique(fetch.partitions[late & mask]):
        of = fetch.partitions == number
        mask[of] &= np.cumsum(late[of]) == 0
        stopped.add(int(number))
    return mask


def _lines(fetched: Iterable[Fetched]) -> tuple[list[bytes], list[BrokenLine]]:
    """The JSON of each message on a line; an empty one where there is none."""
    lines, broken = list[bytes](), list[BrokenLine]()
    for place, message in enumerate(fetched):
        if message.value is None:
            lines.append(b"")
            continue
        try:
            json = opened(message.value).json
        except BrokenFrame as error:
            broken.append(BrokenLine(place, message.value, error.kind, None, f"value: {error.message}"))
            json = b""
        else:
            if not json.strip():
                broken.append(BrokenLine(place, message.value, DeadLetterKind.PAYLOAD_BROKEN, None, "value: holds no JSON"))
        # Between the tokens of JSON a line's end is a blank; within its texts there is none.
        lines.append(json.replace(b"\n", b" ") if b"\n" in json else json)
    return lines, broken
