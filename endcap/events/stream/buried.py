"""What the stream cannot take, as dead letters: lines that are no events, and events that a function fails on."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

import polars as pl

from endcap.contracts.dead_letter import DeadLetter, DeadLetterKind
from endcap.contracts.event_type import EventType
from endcap.core.files import replace_text
from endcap.events.acceptance.acceptance import Refused, Sender
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.letters import SentText, dead_letter
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.writer import FILE_SUFFIX, NAME_TIME
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.following import FoundLine
from endcap.events.stream.stepping import Failure

LETTERS = "dead_letters"
"""Names the rows."""

LETTER_SCHEMA = pl.Schema({"letter_id": pl.String(), "buried_at": MOMENT, "letter": pl.String()})
LETTER_KEY = ("letter_id",)

_KEY_ID = "stream"


def letters_of(
    lines: Iterable[FoundLine], failures: Iterable[tuple[str, Failure]], events: pl.DataFrame, seal: Seal, now: datetime
) -> pl.DataFrame:
    """Rows of LETTER_SCHEMA; the same line, or event and function, has the same id whenever it is read.

    Args:
        lines: that are no events.
        failures: names of functions with the keys that they cannot take.
        events: among which the failed ones are.
        seal: of dead letters.
        now: when they are buried, UTC.
    """
    letters = [_of_line(found, seal, now) for found in lines]
    letters += [letter for name, failure in failures for letter in _of_failure(name, failure, events, seal, now)]
    return _rows(letters, now)


class LetterSink:
    """Writes letters to the folder of dead letters, a file a step: the same letters again make the same file.

    Args:
        folder: of dead letters.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, rows: pl.DataFrame) -> None:
        """Write letters.

        Raises:
            OSError: the disk refused.
        """
        for (buried_at,), group in rows.group_by("buried_at", maintain_order=True):
            assert isinstance(buried_at, datetime)  # noqa: S101 - the column's type
            name = f"{buried_at:{NAME_TIME}}-stream-{buried_at:%f}{FILE_SUFFIX}"
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_text(self._folder / name, "".join(f"{letter}\n" for letter in group["letter"]))


def _of_line(found: FoundLine, seal: Seal, now: datetime) -> DeadLetter:
    broken, reason = found.broken, found.broken.reason
    try:
        text = broken.content.decode()
    except UnicodeDecodeError:
        text, reason = b64encode(broken.content).decode(), f"{reason}; it is no text, so its bytes are kept in base64"
    refused = Refused(broken.kind, broken.field, reason)
    return _letter(f"{found.file} {found.byte} {broken.line}", refused, text, seal, now)


def letters_of_failed(function: str, error_name: str, failed: pl.DataFrame, seal: Seal, now: datetime) -> pl.DataFrame:
    """Rows of LETTER_SCHEMA of events that a function failed on.

    Args:
        function: its name.
        error_name: the kind of what it raised.
        failed: columns of the contract `Event`.
        seal: of dead letters.
        now: when they are buried, UTC.
    """
    return _rows(_of_failed(function, error_name, failed, seal, now), now)


def _rows(letters: Sequence[DeadLetter], now: datetime) -> pl.DataFrame:
    rows = [(str(letter.letter_id), now, letter.model_dump_json(exclude_none=True)) for letter in letters]
    return pl.DataFrame(rows, schema=LETTER_SCHEMA, orient="row")


def _of_failure(function: str, failure: Failure, events: pl.DataFrame, seal: Seal, now: datetime) -> Sequence[DeadLetter]:
    failed = events.filter(pl.col("event_id").is_in(list(failure.event_ids)))
    return _of_failed(function, type(failure.error).__name__, failed, seal, now)


def _of_failed(function: str, error_name: str, failed: pl.DataFrame, seal: Seal, now: datetime) -> Sequence[DeadLetter]:
    reason = f"the stream's function {function} failed on it: {error_name}"
    return [
        _letter(f"{function} {row['event_id']}", _refused_event(row, reason), text, seal, now)
        for row, text in zip(failed.iter_rows(named=True), failed.write_ndjson().splitlines(), strict=True)
    ]


def _refused_event(row: dict[str, object], reason: str) -> Refused:
    return Refused(DeadLetterKind.PART_AWAY, None, reason, UUID(str(row["event_id"])), EventType(str(row["event_type"])))


def _letter(name: str, refused: Refused, text: str, seal: Seal, now: datetime) -> DeadLetter:
    scope = Scope.TRANSFORMER if refused.event_type is EventType.IMPRESSION else Scope.BACKFILL
    sender = Sender(_KEY_ID, scope, TYPES_OF_SCOPE[scope])
    letter = dead_letter(refused, SentText(text, None, 0), sender, now, seal)
    return letter.model_copy(update={"letter_id": uuid5(NAMESPACE_OID, name)})
