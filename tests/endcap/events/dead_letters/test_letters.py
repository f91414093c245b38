from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from endcap.contracts.dead_letter import DeadLetter, DeadLetterKind
from endcap.contracts.event_type import EventType
from endcap.core.errors import InvalidInput
from endcap.core.key_files import new_key
from endcap.events.acceptance.acceptance import Refused, Sender
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.letters import (
    SentText,
    dead_letter,
    find_letter,
    letter_table,
    opened_payload,
    read_letters,
    remove_letters_before,
)
from endcap.events.dead_letters.sealing import Seal

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SEAL = Seal([new_key()], "KEY")
SENDER = Sender("web", Scope.BROWSER, TYPES_OF_SCOPE[Scope.BROWSER])
SENT = SentText('{"user_id":"u-secret","query":"my secret"}', "192.0.2.7", 3)


def letter(kind: DeadLetterKind = DeadLetterKind.FIELD_REFUSED, field: str | None = "item_id") -> DeadLetter:
    return dead_letter(Refused(kind, field, "missing", uuid4(), EventType.CLICK), SENT, SENDER, NOW, SEAL)


def write(folder: Path, name: str, *letters: DeadLetter) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(each.model_dump_json(exclude_none=True) + "\n" for each in letters))


def test_nothing_readable_says_whose_it_was_or_what_was_searched() -> None:
    text = letter(field="me@example.org").model_dump_json()
    assert not [word for word in ("secret", "192.0.2.7", "example.org") if word in text]


def test_a_letter_holds_all_that_was_sent() -> None:
    assert opened_payload(letter(), SEAL) == SENT


def test_letters_are_read_as_a_table_by_kind_and_reason(tmp_path: Path) -> None:
    write(tmp_path / "letters", "20260301T080000-1.jsonl", letter(), letter(DeadLetterKind.TOO_LATE))
    write(tmp_path / "letters", "20260301T090000-1.jsonl.open", letter())
    table = letter_table(tmp_path / "letters")
    counts = table.group_by("kind").len().sort("kind")
    assert counts.rows() == [("field_refused", 2), ("too_late", 1)]
    assert table.columns == list(DeadLetter.model_fields)


def test_a_letter_that_is_still_being_written_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", letter())
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write('{"letter_id":')
    assert len(list(read_letters(tmp_path))) == 1
    assert letter_table(tmp_path / "none").is_empty()


def test_a_letter_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    one, other = letter(), letter()
    write(tmp_path, "a.jsonl", one, other)
    assert find_letter(tmp_path, str(one.letter_id)[:13]) == one
    with pytest.raises(InvalidInput, match="2 dead letters begin so"):
        find_letter(tmp_path, "")
    with pytest.raises(InvalidInput, match="no such dead letter"):
        find_letter(tmp_path, "x")


def test_letters_go_when_their_time_is_over_whoever_wrote_them(tmp_path: Path) -> None:
    for name in ("20260101T080000-1.jsonl", "20260102T080000-1.jsonl.open", "20260228T080000-1.jsonl", "notes.jsonl"):
        write(tmp_path, name, letter())
    assert remove_letters_before(tmp_path, datetime(2026, 2, 1, tzinfo=UTC)) == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["20260228T080000-1.jsonl", "notes.jsonl"]
