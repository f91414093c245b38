"""Lines that Kafka does not take for their size, as dead letters."""

from pathlib import Path
from uuid import UUID

import pytest

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.settings import Settings
from endcap.events.dead_letters.letters import opened_payload
from endcap.events.dead_letters.sealing import Seal, dead_letter_seal
from endcap_collector.spool.too_large import too_large_letter
from tests.services.collector.spool.opened_spool import NOW, line


@pytest.fixture
def seal(tmp_path: Path) -> Seal:
    return dead_letter_seal(Settings(home=tmp_path), may_make=True)


def test_the_letter_of_a_line_has_all_of_it_and_the_same_id_each_time(seal: Seal) -> None:
    letters = [too_large_letter(line(7)[:-1], "file 12", "Broker: Message size too large", seal, NOW) for _ in range(2)]
    assert letters[0].letter_id == letters[1].letter_id
    assert letters[0].letter_id != too_large_letter(line(7)[:-1], "file 13", "", seal, NOW).letter_id
    assert (letters[0].kind, letters[0].event_id, letters[0].event_type) == (DeadLetterKind.OVER_LIMIT, UUID(int=7), "page_view")
    assert opened_payload(letters[0], seal).text == line(7)[:-1].decode()


@pytest.mark.parametrize("content", [b'{"item_id":"tea","price":3.9}', b"\0\xff", b"[]"])
def test_what_is_no_event_is_a_letter_without_an_id_of_one(seal: Seal, content: bytes) -> None:
    letter = too_large_letter(content, "file 12", "too large", seal, NOW)
    assert (letter.event_id, letter.event_type) == (None, None)
    assert opened_payload(letter, seal).text == content.decode("utf-8", "replace")
