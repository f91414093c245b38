"""Dead letters judged again, after a fix, and stored where they are taken now."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from endcap.contracts.dead_letter import DeadLetter
from endcap.core.clock import Clock, system_clock
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Refused, Sender, content_of
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.fix import Fix
from endcap.events.dead_letters.letters import opened_payload, read_letters
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX, LogFile, Rotation

REPLAYED_FILE = "replayed.ids"
"""Beside the letters: ids of those that are done with, a line each."""

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Judged:
    """One letter after a fix.

    Attributes:
        letter: as it is kept.
        verdict: what the collector would say of it now; consent is judged anew, the clock is that of its arrival.
    """

    letter: DeadLetter
    verdict: Accepted | Refused


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        stored: events that are in the log now.
        duplicates: events that were there before.
        refused: letters that are still refused, and stay.
    """

    stored: int
    duplicates: int
    refused: int


def open_letters(folder: Path, fix: Fix) -> Iterator[DeadLetter]:
    """Letters of single events that the fix is for and that were not replayed yet."""
    done = _replayed(folder)
    return (
        letter
        for letter in read_letters(folder)
        if letter.index is not None and str(letter.letter_id) not in done and fix.which.holds(letter)
    )


def judged_again(letters: Iterable[DeadLetter], fix: Fix, acceptance: Acceptance, seal: Seal) -> Iterator[Judged]:
    """What would become of letters after a fix; nothing is written.

    Raises:
        InvalidInput: while they are read: a letter was sealed with another key.
    """
    for letter in letters:
        scope = Scope(letter.scope)
        sender = Sender(letter.key_id, Scope.BACKFILL if fix.backfill else scope, TYPES_OF_SCOPE[scope])
        yield Judged(letter, acceptance.judge(fix.applied(opened_payload(letter, seal).text), sender, letter.received_at))


def replay(letters: Iterable[Judged], folder: Path, event_log: Path, clock: Clock = system_clock) -> Replayed:
    """Store what is taken now. A replay that breaks off may be started again: no event is stored twice.

    Args:
        letters: judged again.
        folder: of dead letters.
        event_log: folder of the event log.
        clock: names the file that is written.

    Raises:
        OSError: the disk refused; what was stored until then is noted.
    """
    known = set(_event_ids(event_log))
    file = LogFile(event_log, clock, Rotation())
    stored = duplicates = refused = 0
    lines: list[str] = []
    done: list[str] = []
    try:
        for judged in letters:
            if isinstance(judged.verdict, Refused):
                refused += 1
                continue
            done.append(str(judged.letter.letter_id))
            if judged.verdict.event_id in known:
                duplicates += 1
            else:
                known.add(judged.verdict.event_id)
                lines.append(judged.verdict.line)
                stored += 1
            if len(done) >= _AT_ONCE:
                _settle(file, folder, lines, done)
        _settle(file, folder, lines, done)
    finally:
        file.close()
    return Replayed(stored, duplicates, refused)


def _settle(file: LogFile, folder: Path, lines: list[str], done: list[str]) -> None:
    """First the events, then that their letters are done with: what happens in between is found by the events' ids."""
    file.append_synced("".join(lines).encode())
    if done:
        with (folder / REPLAYED_FILE).open("a", encoding="ascii") as noted:
            noted.write("".join(f"{letter_id}\n" for letter_id in done))
            noted.flush()
            os.fsync(noted.fileno())
    lines.clear()
    done.clear()


def _replayed(folder: Path) -> frozenset[str]:
    file = folder / REPLAYED_FILE
    return frozenset(file.read_text(encoding="ascii").split()) if file.exists() else frozenset()


def _event_ids(folder: Path) -> Iterator[UUID]:
    for path in folder.glob("*"):
        if path.name.endswith((FILE_SUFFIX, OPEN_SUFFIX)):
            with path.open("rb") as lines:
                yield from (found[0] for line in lines if line.endswith(b"\n") and (found := content_of(line)))
