"""Following the files of the local event log: whole lines, each once, the files of several writers in one order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import polars as pl

from endcap.core.clock import Clock
from endcap.events.log.reader import begun
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.lines import LINE, MADE_AT, BrokenLine, ReadLines, read_lines

_FILES_AT_ONCE = 4
"""Of those that are read to their end in one go; each may have as many bytes as are read of one file at once."""

_SLACK = timedelta(seconds=10)
"""A file is named a moment after its first event came."""

_FIRST = datetime.min.replace(tzinfo=UTC) + _SLACK
"""Of files whose name says nothing: they are read first."""

Read = Callable[[Sequence[bytes], datetime], ReadLines]
"""Reads whole lines as of a moment."""

PLACE = "place"
PROBES_SCHEMA = pl.Schema({PLACE: pl.String(), MADE_AT: MOMENT})
"""Probes: file of the log, or topic and partition; and when each was made."""

_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A broken line and where it stands.

    Attributes:
        file: of the log, without its suffix; or topic and partition.
        byte: where the part that was read begins, or the message's offset; with the line's place in it, what names the line for good.
        broken: what is wrong.
    """

    file: str
    byte: int
    broken: BrokenLine


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came since the last look.

    Attributes:
        events: columns of the contract `Event`, in the order of arrival.
        broken: lines that are none.
        places: bytes that are read now, by file, or offsets of next messages, by topic and partition; only those that changed.
        gone: files or partitions that had a place and are no more.
        is_behind: whether more waits in the log.
        is_cut_off: whether a part of the log does not answer, so that nobody can say what waits there.
        holds_watermark: whether more may be on its way from before than can be seen, as after an outage: the watermark then goes by events
            alone.
        probes: PROBES_SCHEMA: what came among the events and is none.
    """

    events: pl.DataFrame
    broken: Sequence[FoundLine]
    places: Mapping[str, int]
    gone: Sequence[str]
    is_behind: bool
    is_cut_off: bool = False
    holds_watermark: bool = False
    probes: pl.DataFrame = field(default_factory=PROBES_SCHEMA.to_frame)

    @property
    def is_probes_only(self) -> bool:
        """Whether something came, and all of it were probes."""
        return len(self.probes) > 0 and self.events.is_empty() and not self.broken

    @property
    def is_nothing(self) -> bool:
        return not self.places and not self.gone

    def note_in(self, places: dict[str, int]) -> None:
        """Bring what was read before, by file, up to this."""
        places |= self.places
        for name in self.gone:
            places.pop(name, None)


class Follower(Protocol):
    """Reads what is new in a log, for one thread."""

    def look(self, places: Mapping[str, int]) -> Arrived:
        """What is new.

        Args:
            places: what was read, as `Arrived` names it. What came of the look before and is not in it comes again.

        Raises:
            OSError: the log cannot be read.
        """

    def close(self) -> None:
        """Let go of the log."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What was read of one file."""

    file: str
    begin: int
    lines: list[bytes]
    read: ReadLines
    has_more: bool

    def arrived_until(self) -> datetime | None:
        """When the newest line came, a probe's too: it says as much of how far the file was read."""
        newest = [self.read.events["received_at"].max(), self.read.probes[MADE_AT].max()]
        return max((moment for moment in newest if isinstance(moment, datetime)), default=None)

    def lines_until(self, horizon: datetime | None) -> int:
        """How many lines, from the first on, came by then."""
        if horizon is None:
            return len(self.lines)
        after = self.read.events.filter(pl.col("received_at").cum_max() > horizon)
        return int(after[LINE][0]) if len(after) else len(self.lines)


class LogFollower:
    """Reads what is new in a folder of log files.

    After a while without a look several files have more than one look takes. Then only what came by the moment up to which all of them
    were read is taken, so that no event looks late because another file was read first.

    Args:
        folder: where the log's writers write.
        part_bytes: bytes of one file that one look reads at most, longer lines aside.
        clock: the present, UTC.
        read: reads lines; of events unless it is given. Its table has `line` and `received_at`.
    """

    def __init__(self, folder: Path, part_bytes: int, clock: Clock, read: Read = read_lines) -> None:
        self._folder, self._part_bytes, self._clock, self._read_lines = folder, part_bytes, clock, read
        self._nothing = read((), clock()).events.drop(LINE)
        self._over: set[str] = set()

    def look(self, places: Mapping[str, int]) -> Arrived:
        """What is new.

        Args:
            places: bytes that were read, by file.

        Raises:
            OSError: the folder cannot be read, or a file that is there.
        """
        files = self._files()
        parts, horizon, is_behind = self._parts(files, places)
        cuts = [part.lines_until(horizon) for part in parts]
        if parts and not any(cuts):
            parts, cuts = parts[:1], [len(parts[0].lines)]
        gone = [name for name in places if name not in files]
        self._over -= set(gone)
        return _arrived(self._nothing, parts, cuts, gone, is_behind or horizon is not None)

    def close(self) -> None:
        """Nothing is held between two looks."""

    def _files(self) -> dict[str, Path]:
        """By name without suffix, the first ones first; none before a writer made the folder."""
        try:
            names = sorted(file.name for file in self._folder.iterdir())
        except FileNotFoundError:
            return {}
        found: dict[str, Path] = {}
        for name in names:
            for suffix in (OPEN_SUFFIX, FILE_SUFFIX):
                if name.endswith(suffix):
                    found.setdefault(name.removesuffix(suffix), self._folder / name)
                    break
        return found

    def _parts(self, files: Mapping[str, Path], places: Mapping[str, int]) -> tuple[list[_Part], datetime | None, bool]:
        parts: list[_Part] = []
        horizon: datetime | None = None
        unread = 0
        for name, path in files.items():
            if name in self._over:
                continue
            began = begun(name) or _FIRST
            if (horizon is not None and began > horizon + _SLACK) or len(parts) >= _FILES_AT_ONCE:
                unread += 1
                horizon = min(horizon or began, began - _SLACK) if len(parts) >= _FILES_AT_ONCE else horizon
                break
            part = self._part(name, path, places.get(name, 0))
            if part is None:
                continue
            parts.append(part)
            until = part.arrived_until()
            if part.has_more and until is not None:
                horizon = min(horizon or until, until)
        return parts, horizon, bool(unread) or any(part.has_more for part in parts)

    def _part(self, name: str, path: Path, place: int) -> _Part | None:
        """The whole lines from `place` on; None when there is none."""
        content, has_more, is_finished = _read(path, place, self._part_bytes)
        if not content:
            if is_finished:
                self._over.add(name)
            return None
        lines = content[:-1].split(b"\n")
        return _Part(name, place, lines, self._read_lines(lines, self._clock()), has_more)


def _arrived(nothing: pl.DataFrame, parts: Sequence[_Part], cuts: Sequence[int], gone: Sequence[str], is_behind: bool) -> Arrived:
    events = [part.read.events.filter(pl.col(LINE) < cut).drop(LINE) for part, cut in zip(parts, cuts, strict=True)]
    broken = [
        FoundLine(part.file, part.begin, line)
        for part, cut in zip(parts, cuts, strict=True)
        for line in part.read.broken
        if line.line < cut
    ]
    places = {part.file: part.begin + len(b"\n".join(part.lines[:cut])) + 1 for part, cut in zip(parts, cuts, strict=True) if cut}
    probes = [
        part.read.probes.filter(pl.col(LINE) < cut).select(pl.lit(part.file).alias(PLACE), MADE_AT)
        for part, cut in zip(parts, cuts, strict=True)
    ]
    merged = pl.concat(events).sort("received_at", maintain_order=True) if events else nothing
    return Arrived(merged, broken, places, gone, is_behind, probes=pl.concat([PROBES_SCHEMA.to_frame(), *probes]))


def _read(path: Path, place: int, most: int) -> tuple[bytes, bool, bool]:
    """Whole lines, whether more of them stand behind, and whether the file is finished and read to its end.

    A file that was renamed, or removed, since it was listed is found by the next look.
    """
    try:
        with path.open("rb") as file:
            file.seek(place)
            content = file.read(most)
            at_end = len(content) < most
            while not at_end and b"\n" not in content and len(content) < _LONGEST_LINE:
                more = file.read(most)
                content, at_end = content + more, len(more) < most
    except FileNotFoundError:
        return b"", False, False
    whole = content[: content.rfind(b"\n") + 1]
    return whole, not at_end, at_end and path.name.endswith(FILE_SUFFIX)
