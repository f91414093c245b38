"""Dead letters made, and read as a table."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import polars as pl

from endcap.contracts.dead_letter import DeadLetter
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import InvalidInput
from endcap.events.acceptance.acceptance import Refused, Sender, known_field
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.reader import remove_files_before
from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX

_REASON_MAX = 512
_SUFFIXES = (FILE_SUFFIX, OPEN_SUFFIX)


@dataclass(frozen=True, slots=True)
class SentText:
    """What a sender sent.

    Attributes:
        text: the event, or the whole body where it could not be taken apart.
        address: the sender's address.
        index: place in the request, from 0; None for a whole body.
        is_cut: whether `text` is only the beginning.
    """

    text: str
    address: str | None
    index: int | None
    is_cut: bool = False


def dead_letter(refused: Refused, sent: SentText, sender: Sender, received_at: datetime, seal: Seal) -> DeadLetter:
    """The letter of one refusal; what was sent is in it sealed, whole."""
    payload = json.dumps({"text": sent.text, "address": sent.address, "is_cut": sent.is_cut})
    return DeadLetter(
        letter_id=uuid4(),
        kind=refused.kind,
        reason=refused.reason[:_REASON_MAX],
        field=known_field(refused.field),
        received_at=received_at,
        key_id=sender.key_id,
        scope=sender.scope.value,
        index=sent.index,
        event_id=refused.event_id,
        event_type=refused.event_type.value if refused.event_type else None,
        payload=seal.seal(payload),
    )


def opened_payload(letter: DeadLetter, seal: Seal) -> SentText:
    """What was sent.

    Raises:
        InvalidInput: the letter was sealed with another key.
    """
    payload = json.loads(seal.open(letter.payload))
    return SentText(payload["text"], payload["address"], letter.index, payload["is_cut"])


def read_letters(folder: Path) -> Iterator[DeadLetter]:
    """All whole letters under `folder`, the oldest first; no folder is no letters."""
    for file in _files(folder):
        with file.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield DeadLetter.model_validate_json(line)


def letter_table(folder: Path) -> pl.DataFrame:
    """The letters under `folder` as a table, a column a field of the contract."""
    schema = pl.DataFrame(arrow_schema(DeadLetter).empty_table()).schema
    rows = [letter.model_dump() | {"letter_id": str(letter.letter_id), "kind": letter.kind.value} for letter in read_letters(folder)]
    for row in rows:
        row["event_id"] = str(row["event_id"]) if row["event_id"] else None
    return pl.DataFrame(rows, schema=schema)


def find_letter(folder: Path, letter_id: str) -> DeadLetter:
    """One letter.

    Args:
        folder: of dead letters.
        letter_id: its id, or the beginning of it.

    Raises:
        InvalidInput: none is called so, or several are.
    """
    found = [letter for letter in read_letters(folder) if str(letter.letter_id).startswith(letter_id)]
    if len(found) != 1:
        reason = "no such dead letter" if not found else f"{len(found)} dead letters begin so"
        raise InvalidInput(reason, field="LETTER", value=letter_id, fix="see endcap deadletters list")
    return found[0]


def remove_letters_before(folder: Path, moment: datetime) -> int:
    """Remove files that were begun before `moment`, those of dead writers too, and tell how many.

    A file is written for an hour at most, so what is removed is that much older at the least.
    """
    return remove_files_before(folder, moment, _SUFFIXES)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*") if file.name.endswith(_SUFFIXES))
